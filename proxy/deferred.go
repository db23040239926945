package proxy

import (
	"errors"
	"net"
	"os"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/upstream"
)

// Many corporate proxies pass CONNECT to the ports of TLS alone and want plain
// HTTP in absolute form. So a connection to http's port that is to leave
// through an HTTP proxy is deferred until the client has shown what it speaks. On
// other ports CONNECT is tried first, for there the server may be the one to
// begin.

// carry joins the session to upstream, which may be deferred. preread is what the
// client sent already.
func (c *session) carry(g grant, upstream net.Conn, preread []byte) {
	if _, deferred := upstream.(deferredConn); deferred {
		c.serveDeferred(g, preread, nil)
		return
	}
	c.tunnel(g, upstream, preread)
}

// serveDeferred serves HTTP through the proxy's own requests, and anything else
// through a tunnel. refused is the proxy's answer when a tunnel was asked for
// already, nil when not.
func (c *session) serveDeferred(g grant, preread []byte, refused *upstream.Refusal) {
	preread, ok := c.untilClear(preread)
	switch {
	case !ok:
	case http1.Classify(preread) == http1.HTTP && !prefaced(preread):
		h := &httpConn{origin: &origin{client: newClient(c, preread)}, only: &g, guessed: true}
		h.upgraded = c.joined
		h.serve()
		return
	case refused == nil:
		var err error
		var server net.Conn
		if g, server, err = c.dial(c.ctx, g); err == nil {
			c.tunnel(g, server, preread)
			return
		}
		c.refused(err)
	}
	reset(c.conn)
}

// untilClear reads until it is clear what the client speaks, or for a while
// when it says nothing that tells.
func (c *session) untilClear(preread []byte) ([]byte, bool) {
	for begun := time.Now(); http1.Classify(preread) == http1.Unclear && time.Since(begun) < prereadWait; {
		more, err := prereadMore(c.conn, true)
		preread = append(preread, more...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return preread, len(preread) > 0
		}
	}
	return preread, true
}
