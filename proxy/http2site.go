package proxy

import (
	"context"
	"net"
)

// What the requests on an HTTP/2 connection are for: the site of a terminated TLS
// connection, or in the clear the target of the tunnel, as with HTTP/1.

// origin is the scheme and the authority of the server.
func (h *http2Conn) origin() (scheme, host string) {
	if h.term != nil {
		return "https", h.term.site.String()
	}
	return "http", h.g.target.String()
}

// redial opens another connection to the server, which closed the one before or takes
// no more requests on it.
func (h *http2Conn) redial(ctx context.Context) (net.Conn, error) {
	if h.term != nil {
		conn, err := h.term.redial()
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	defer h.c.Reach()()
	return h.c.dials.dial(ctx, h.g, h.c.via)
}

// checkHost holds the host that a request names against the one that the connection
// is for.
func (h *http2Conn) checkHost(raw string) *Denial {
	const what = "HTTP :authority"
	if h.term != nil {
		return h.term.checkHost(what, raw)
	}
	named, err := parseAuthority(raw, h.g.target.Port)
	if err != nil {
		return newDenial(h.g.target, h.g.dec, CodeSNIMismatch, what+" "+err.Error())
	}
	return h.c.names.checkAuthority(h.g, what, named)
}

// hosts are those that rules may speak of in a request that names raw.
func (h *http2Conn) hosts(raw string) []target {
	if h.term != nil {
		return h.term.hosts(raw)
	}
	hosts := []target{h.g.target}
	if named, err := parseAuthority(raw, h.g.target.Port); err == nil {
		hosts = append(hosts, named)
	}
	return hosts
}

// status is the HTTP status of a denial.
func (h *http2Conn) status(d *Denial) int {
	if h.term != nil {
		return h.term.status(d)
	}
	return d.status()
}
