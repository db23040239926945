package proxy

import (
	"net/http"
	"time"

	"srun/proxy/internal/http1"
)

// httpConn serves a client's requests, one after the other.
type httpConn struct {
	*origin

	only    *grant            // that each request must be for; nil on the proxy port
	guessed bool              // to be HTTP, by the first bytes alone: the client may speak another protocol
	connect func(*http1.Head) // answers CONNECT, the last of its connection, on the proxy port
}

// serve handles requests until one of the sides is done.
func (h *httpConn) serve() {
	defer h.drop()
	for fresh := true; ; fresh = false {
		req, err := h.next(fresh)
		if err != nil {
			h.failHead(err, fresh)
			return
		}
		if req.Method == http.MethodConnect && h.only == nil {
			h.connect(req)
			return
		}
		if !h.forward(req) {
			return
		}
	}
}

// failHead answers what could not be read as a request head. A client that may not
// speak HTTP at all is not answered in it.
func (h *httpConn) failHead(err error, first bool) {
	b, ok := http1.IsBad(err)
	switch {
	case !ok:
	case first && h.guessed && (b.Foreign || b.Status == http.StatusRequestTimeout):
		d := newDenial(h.only.target, h.only.dec, CodeSNIMismatch, "the first line could pass for a request, and is none that can be checked")
		h.c.record.report(d, h.c.conn, h.c.via)
		reset(h.c.conn)
	default:
		h.respondError(nil, b.Status, "", b.Text)
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
	h.c.AllSent()
	to, path, err := h.target(req)
	if err != nil {
		return h.fail(req, err)
	}
	g, err := h.checkRequest(req, to, path)
	if err != nil {
		return h.fail(req, err)
	}
	x := &exchange{origin: h.origin, req: req, g: g, path: path}
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

func (h *httpConn) grant(to target) (grant, error) {
	if h.only != nil {
		return *h.only, nil
	}
	return h.c.admit(to, h.c.asking())
}
