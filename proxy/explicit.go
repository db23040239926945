package proxy

import (
	"net"
	"time"

	"srun/policy"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/relay"
	"srun/proxy/internal/socks5"
)

// ServeProxy serves the proxy port: HTTP requests, CONNECT and SOCKS5. It
// returns when the listener fails or the server closes, nil in that case.
func (s *Server) ServeProxy(l net.Listener) error {
	return s.serve(l, (*session).serveProxy)
}

// serveProxy tells the protocols apart by their first byte.
func (c *session) serveProxy() {
	c.conn.SetReadDeadline(time.Now().Add(handshakeWait))
	if relay.WaitReadable(c.conn) != nil {
		return
	}
	c.via = viaHTTP
	h := &httpConn{origin: &origin{client: newClient(c, nil)}}
	h.connect, h.upgraded = func(req *http1.Head) { connect(h.client, req) }, c.joined
	b, err := h.br.Peek(1)
	if err != nil {
		return
	}
	if b[0] == socks5.Version {
		c.via = viaSOCKS
		c.serveSOCKS(h.br)
		return
	}
	c.conn.SetReadDeadline(time.Time{})
	h.serve()
}

// connect answers a CONNECT request, the last of its connection: what comes
// after it is the tunnel's.
func connect(h *client, req *http1.Head) {
	h.c.via = viaConnect
	to, err := parseTarget(req.Target)
	if err != nil {
		h.fail(req, badTarget(req.Target, err))
		return
	}
	if err := checkConnect(req, to); err != nil {
		h.fail(req, err)
		return
	}
	g, upstream, err := h.c.connect(to, h.c.asking())
	if err != nil {
		h.fail(req, err)
		return
	}
	h.bw.WriteString("HTTP/1.1 200 Connection established\r\n\r\n")
	if h.bw.Flush() != nil {
		upstream.Close()
		return
	}
	h.c.carry(g, upstream, h.unread())
}

// checkConnect refuses a CONNECT that says two things. The request target counts
// (RFC 9110, 9.3.6).
func checkConnect(req *http1.Head, to target) error {
	if req.Length != 0 {
		return http1.Bad("a CONNECT request with a body")
	}
	if req.Hosts == 0 {
		return nil
	}
	named, err := parseAuthority(req.Host, to.Port)
	if err == nil && (named == to || named.kind == theHost || named.mayBeHost()) {
		return nil // the latter is the proxy's own address, which some clients say
	}
	return newDenial(to, policy.Decision{}, CodeSNIMismatch, "CONNECT with another Host, "+oneline.Quote(req.Host))
}
