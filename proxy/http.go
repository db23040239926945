package proxy

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"srun/proxy/internal/http1"
)

// httpConn is a connection on which a client sends HTTP/1 requests: to the
// proxy port, where each request names its server in full, or inside a tunnel,
// where each must be for the name that the tunnel is for.
type httpConn struct {
	c  *session
	br *bufio.Reader
	bw *bufio.Writer

	in     *prereadReader
	inside *tunnel     // nil on the proxy port
	pinned *grant      // of a connection to one target whose requests go to a proxy; nil for none
	server *serverConn // of the last request, kept for the next; may be nil
}

// newHTTPConn serves a session as HTTP. preread is what was read of it already.
func newHTTPConn(c *session, preread []byte) *httpConn {
	in := &prereadReader{preread: preread, conn: c.conn}
	return &httpConn{c: c, in: in, br: bufio.NewReader(in), bw: bufio.NewWriter(c.conn)}
}

// Unread is what was read of the client and belongs to nobody yet.
func (h *httpConn) unread() []byte {
	b, _ := h.br.Peek(h.br.Buffered())
	return append(slices.Clone(b), h.in.preread...)
}

// serve handles requests until one of the sides is done.
func (h *httpConn) serve() {
	defer h.dropServer()
	for fresh := true; ; fresh = false {
		req, err := h.next(fresh)
		if err != nil {
			if b, ok := http1.IsBad(err); ok {
				h.respondError(nil, b.Status, "", b.Text)
			}
			return
		}
		if req.Method == http.MethodConnect && h.fixed() == nil {
			h.connect(req)
			return
		}
		if !h.forward(req) {
			return
		}
	}
}

// next reads a request head: waiting for its first byte, long unless the
// connection is fresh, and not so long for the rest.
func (h *httpConn) next(fresh bool) (*http1.Head, error) {
	conn := h.c.conn
	wait := idleTimeout
	if fresh {
		wait = headTimeout
	}
	conn.SetReadDeadline(time.Now().Add(wait))
	if _, err := h.br.Peek(1); err != nil {
		return nil, err
	}
	conn.SetReadDeadline(time.Now().Add(headTimeout))
	req, err := http1.ReadHead(h.br)
	conn.SetReadDeadline(time.Time{})
	if isTimeout(err) {
		err = &http1.BadRequest{Status: http.StatusRequestTimeout, Text: "the request head took too long"}
	}
	return req, err
}

// forward answers one request from the server it names, and reports whether the
// connection can take another.
func (h *httpConn) forward(req *http1.Head) bool {
	h.c.allSent()
	to, path, err := h.target(req)
	if err != nil {
		return h.fail(req, err)
	}
	g, err := h.checkRequest(req, to, path)
	if err != nil {
		return h.fail(req, err)
	}
	x := &exchange{h: h, req: req, g: g, path: path}
	return x.run()
}

// checkRequest decides on a request. Inside a tunnel that was done, but for the host
// that the request itself names.
func (h *httpConn) checkRequest(req *http1.Head, to target, path string) (grant, error) {
	g, err := h.grant(to)
	if err != nil {
		return g, err
	}
	if d := h.checkHost(req, g, to); d != nil {
		return g, d
	}
	return g, h.checkRules(req, g, to, path)
}

// fixed is the grant that every request must be for, nil on the proxy port.
func (h *httpConn) fixed() *grant {
	if h.inside != nil {
		return &h.inside.g
	}
	return h.pinned
}

func (h *httpConn) grant(to target) (grant, error) {
	if g := h.fixed(); g != nil {
		return *g, nil
	}
	defer h.c.reach()()
	return h.c.s.admit(h.c.s.ctx, to, h.c)
}

// fail answers a request that is refused or got no response, reports it when it
// was refused, and says whether the connection can take another.
func (h *httpConn) fail(req *http1.Head, err error) bool {
	if d, ok := h.c.refused(err); ok {
		return h.respondError(req, h.status(d), d.Code, h.c.s.line(d))
	}
	if b, ok := http1.IsBad(err); ok {
		return h.respondError(req, b.Status, "", b.Text)
	}
	return h.respondError(req, gatewayStatus(err), "", h.c.s.gatewayText(err))
}

func (h *httpConn) dropServer() {
	if h.server != nil {
		h.server.conn.Close()
		h.server = nil
	}
}

// takeServer returns the connection of the request before, when it leads to
// the same target and the server has not closed it.
func (h *httpConn) takeServer(to target) *serverConn {
	sc := h.server
	if sc == nil {
		return nil
	}
	if sc.target != to || sc.used && sc.stale() {
		h.dropServer()
		return nil
	}
	h.server = nil
	return sc
}

// dial opens a connection for a request.
func (h *httpConn) dial(g grant) (*serverConn, error) {
	defer h.c.reach()()
	if term := h.terminated(); term != nil {
		conn, err := term.redial()
		if err != nil {
			return nil, err
		}
		h.inside.upstream.Close()
		h.inside.upstream = conn
		return newServerConn(conn, g.target), nil
	}
	conn, viaProxy, err := h.c.s.dialHTTP(h.c.s.ctx, g)
	if err != nil {
		h.c.s.warnOfProxy(g.target, err)
		return nil, err
	}
	sc := newServerConn(conn, g.target)
	sc.proxy = viaProxy
	return sc, nil
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
