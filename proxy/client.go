package proxy

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
)

// client is a connection on which a client sends HTTP/1 requests: to the
// proxy port, where each request names its server in full, or inside a tunnel,
// where each must be for the name that the tunnel is for.
type client struct {
	c  *session
	br *bufio.Reader
	bw *bufio.Writer

	in     *prereadReader
	inside *inside // nil on the proxy port

	// upgraded goes on with both connections as a tunnel. read is what was read of
	// the client's.
	upgraded func(g grant, server net.Conn, read []byte)
}

// inside is the tunnel that requests come through.
type inside struct {
	term     *termination // of the TLS around them; nil for none
	upstream *net.Conn    // to the server
	up, down *atomic.Int64
}

// newClient takes a session for HTTP. preread is what was read of it already.
func newClient(c *session, preread []byte) *client {
	in := &prereadReader{preread: preread, conn: c.conn}
	return &client{c: c, in: in, br: bufio.NewReader(in), bw: bufio.NewWriter(c.conn)}
}

// Unread is what was read of the client and belongs to nobody yet.
func (h *client) unread() []byte {
	b, _ := h.br.Peek(h.br.Buffered())
	return append(slices.Clone(b), h.in.preread...)
}

// terminated is the TLS connection that requests are inside of, nil for none.
func (h *client) terminated() *termination {
	if h.inside == nil {
		return nil
	}
	return h.inside.term
}

// fail answers a request that is refused or got no response, reports it when it
// was refused, and says whether the connection can take another.
func (h *client) fail(req *http1.Head, err error) bool {
	if d, ok := h.c.refused(err); ok {
		return h.respondError(req, h.status(d), d.Code, h.c.told(d))
	}
	if b, ok := http1.IsBad(err); ok {
		return h.respondError(req, b.Status, "", b.Text)
	}
	return h.respondError(req, gatewayStatus(err), "", h.c.gatewayText(err))
}

func (h *client) status(d *Denial) int {
	if term := h.terminated(); term != nil {
		return term.status(d)
	}
	return d.status()
}

// respondError answers a request with srun's own words, and reports whether the
// connection can take another. req is nil when there is none to speak of.
func (h *client) respondError(req *http1.Head, status int, code, text string) bool {
	keep := req != nil && req.KeepsAlive() && req.Length == 0 && h.inside == nil && status != http.StatusBadRequest
	body := "srun: " + text + "\n"
	http1.WriteStatus(h.bw, status, "")
	http1.WriteField(h.bw, "Content-Type", "text/plain; charset=utf-8")
	http1.WriteField(h.bw, "Content-Length", strconv.Itoa(len(body)))
	http1.WriteField(h.bw, "X-Content-Type-Options", "nosniff")
	if code != "" {
		http1.WriteField(h.bw, errorField, code)
	}
	if !keep {
		http1.WriteField(h.bw, "Connection", "close")
	}
	h.bw.WriteString("\r\n")
	if req == nil || req.Method != http.MethodHead {
		h.bw.WriteString(body)
	}
	if h.bw.Flush() != nil {
		return false
	}
	if !keep {
		drain(h.c.conn)
	}
	return keep
}

// refuseBusy turns a connection away because there are too many.
func (c *session) refuseBusy() {
	c.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	if relay.WaitReadable(c.conn) != nil {
		return
	}
	h := newClient(c, nil)
	if b, err := h.br.Peek(1); err != nil || b[0] < 'A' || b[0] > 'Z' {
		reset(c.conn)
		return
	}
	h.respondError(nil, http.StatusServiceUnavailable, "", "too many connections at once")
}
