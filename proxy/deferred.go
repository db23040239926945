package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
)

// Many corporate proxies pass CONNECT to the ports of TLS alone and want plain
// HTTP in absolute form. So a connection to http's port that is to leave
// through an HTTP proxy is deferred until the client has shown what it speaks. On
// other ports CONNECT is tried first, for there the server may be the one to
// begin.

// deferredConn stands for a connection that is not dialled yet.
type deferredConn struct{ net.Conn }

// Close has nothing to close.
func (deferredConn) Close() error { return nil }

// defersDial reports that a connection is to be dialled only when the client has
// shown what it speaks.
func (s *Server) defersDial(to target, via string) bool {
	if to.Port != httpPort {
		return false
	}
	p := s.proxyFor(to, via)
	return p != nil && !p.socks()
}

// serveDeferred serves HTTP through the proxy's own requests, and anything else
// through a tunnel. refused is the proxy's answer when a tunnel was asked for
// already, nil when not.
func (c *session) serveDeferred(g grant, preread []byte, refused *proxyRefusal) {
	preread, ok := c.untilClear(preread)
	switch {
	case !ok:
	case http1.Classify(preread) == http1.HTTP:
		h := newHTTPConn(c, preread)
		h.pinned = &g
		h.serve()
		return
	case refused == nil:
		var err error
		var upstream net.Conn
		if g, upstream, err = c.dial(c.s.ctx, g); err == nil {
			c.tunnel(g, upstream, preread)
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

// warnings are the lines that were told already.
type warnings struct {
	mu   sync.Mutex
	told map[string]bool
}

// warnOfProxy tells of a proxy that failed.
func (s *Server) warnOfProxy(to target, err error) {
	if s.isClosed() {
		return
	}
	line := oneline.Printable(err.Error())
	if _, ok := errors.AsType[*proxyRefusal](err); ok {
		line = fmt.Sprintf("%s: %s", to, line)
	} else if _, ok := errors.AsType[*proxyDown](err); !ok {
		return
	}
	s.warnOnce(line)
}

// warnOnce tells of what no denial does, each line once.
func (s *Server) warnOnce(line string) {
	if s.cfg.Warn == nil {
		return
	}
	s.warned.mu.Lock()
	defer s.warned.mu.Unlock()
	if s.warned.told[line] || len(s.warned.told) >= maxWarnings {
		return
	}
	if s.warned.told == nil {
		s.warned.told = make(map[string]bool)
	}
	s.warned.told[line] = true
	s.cfg.Warn(line)
}
