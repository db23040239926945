package proxy

import (
	"fmt"
	"net/http"
	"strings"

	"srun/policy"
	"srun/proxy/internal/oneline"
)

// target returns the server that a request is for, as the client names it, and
// the path there, as it is to be sent.
func (h *httpConn) target(req *head) (policy.HostPort, string, error) {
	if g := h.fixed(); g != nil {
		switch {
		case req.method == http.MethodConnect:
			return policy.HostPort{}, "", &badRequest{http.StatusMethodNotAllowed, "CONNECT inside a tunnel"}
		case req.target[0] == '/' || req.target == "*":
			return g.target, req.target, nil
		}
	}
	authority, path, err := splitAbsolute(req.target)
	if err != nil {
		return policy.HostPort{}, "", err
	}
	target, err := parseAuthority(authority, 80)
	if err != nil {
		return policy.HostPort{}, "", badTarget(authority, err)
	}
	return target, path, nil
}

// splitAbsolute cuts "http://authority/path".
func splitAbsolute(target string) (authority, path string, err error) {
	scheme, rest, ok := strings.Cut(target, "://")
	switch {
	case !ok || strings.Contains(scheme, "/"):
		return "", "", bad("this is srun's proxy: a request names its server in full, as in GET http://example.com/")
	case strings.EqualFold(scheme, "https"):
		return "", "", bad("https goes through CONNECT")
	case !strings.EqualFold(scheme, "http"):
		return "", "", bad("a scheme other than http: %s", oneline.Quote(scheme))
	}
	authority, path = rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if strings.Contains(path, "#") {
		return "", "", bad("a fragment in the request target")
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return authority, path, nil
}

// parseAuthority reads "host" or "host:port".
func parseAuthority(s string, port uint16) (policy.HostPort, error) {
	if i := strings.LastIndexByte(s, ':'); i < 0 || strings.HasSuffix(s, "]") {
		s = fmt.Sprintf("%s:%d", s, port)
	}
	return policy.ParseHostPort(s)
}

// checkHost holds what a request says of its server, in Host and in an absolute
// target, against the name that was allowed.
func (h *httpConn) checkHost(req *head, g grant, target policy.HostPort) *Denial {
	if o := h.opened(); o != nil && req.hosts > 0 {
		if d := o.checkHost("HTTP Host", req.host); d != nil {
			return d
		}
	}
	if h.fixed() != nil {
		if d := h.c.s.checkAuthority(g, "HTTP request target", target); d != nil {
			return d
		}
	}
	if req.hosts == 0 {
		return nil
	}
	named, err := parseAuthority(req.host, g.target.Port)
	if err != nil {
		return newDenial(g.target, g.dec, CodeSNIMismatch, "HTTP Host "+err.Error())
	}
	if h.fixed() == nil && named == target {
		return nil // as the client spelled it: localhost and 127.0.0.1 are one
	}
	return h.c.s.checkAuthority(g, "HTTP Host", named)
}

// checkAuthority is checkName for what may carry a port.
func (s *Server) checkAuthority(g grant, what string, named policy.HostPort) *Denial {
	if named == g.target {
		return nil
	}
	if named.Port != g.target.Port {
		return newDenial(g.target, g.dec, CodeSNIMismatch,
			fmt.Sprintf("%s %s is for another port", what, named))
	}
	return s.checkName(g, what, named.Host.String())
}
