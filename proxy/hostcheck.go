package proxy

import (
	"net/http"

	"srun/proxy/internal/http1"
)

// target returns the server that a request is for, as the client names it, and
// the path there, as it is to be sent.
func (h *httpConn) target(req *http1.Head) (target, string, error) {
	if g := h.only; g != nil {
		switch {
		case req.Method == http.MethodConnect:
			return target{}, "", &http1.BadRequest{Status: http.StatusMethodNotAllowed, Text: "CONNECT inside a tunnel"}
		case req.Target[0] == '/' || req.Target == "*":
			return g.target, req.Target, nil
		}
	}
	authority, path, err := http1.SplitAbsolute(req.Target)
	if err != nil {
		return target{}, "", err
	}
	to, err := parseAuthority(authority, 80)
	if err != nil {
		return target{}, "", badTarget(authority, err)
	}
	return to, path, nil
}

// checkHost holds what a request says of its server, in Host and in an absolute
// target, against the name that was allowed.
func (h *httpConn) checkHost(req *http1.Head, g grant, to target) *Denial {
	if term := h.terminated(); term != nil && req.Hosts > 0 {
		if d := term.checkHost("HTTP Host", req.Host); d != nil {
			return d
		}
	}
	if h.only != nil {
		if d := h.c.names.checkAuthority(g, "HTTP request target", to); d != nil {
			return d
		}
	}
	if req.Hosts == 0 {
		return nil
	}
	named, err := parseAuthority(req.Host, g.target.Port)
	if err != nil {
		return newDenial(g.target, g.dec, CodeSNIMismatch, "HTTP Host "+err.Error())
	}
	if h.only == nil && named == to {
		return nil // as the client spelled it: localhost and 127.0.0.1 are one
	}
	return h.c.names.checkAuthority(g, "HTTP Host", named)
}

// checkRules holds a request against the rules, and logs it where it is inside
// a terminated TLS connection.
func (h *httpConn) checkRules(req *http1.Head, g grant, to target, path string) error {
	hosts, term := []target{g.target, to}, h.terminated()
	if named, err := parseAuthority(req.Host, g.target.Port); err == nil {
		hosts = append(hosts, named)
	}
	if term != nil {
		hosts = append(hosts, term.site)
	}
	if d := h.c.requests.judge(g, request{req.Method, path, req.Fields}, hosts...); d != nil {
		return d
	}
	if term != nil {
		g.passage.Request(req.Method)
	}
	return nil
}
