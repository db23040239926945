package http1

import (
	"fmt"
	"strings"

	"srun/policy"
	"srun/proxy/internal/oneline"
)

// SplitAbsolute cuts a request target in absolute form, "http://authority/path"
// (RFC 9112 section 3.2.2). The path begins with a slash and has no fragment; the
// authority is not looked at. An error is a *BadRequest.
func SplitAbsolute(target string) (authority, path string, err error) {
	scheme, rest, ok := strings.Cut(target, "://")
	switch {
	case !ok || strings.Contains(scheme, "/"):
		return "", "", Bad("this is srun's proxy: a request names its server in full, as in GET http://example.com/")
	case strings.EqualFold(scheme, "https"):
		return "", "", Bad("https goes through CONNECT")
	case !strings.EqualFold(scheme, "http"):
		return "", "", Bad("a scheme other than http: %s", oneline.Quote(scheme))
	}
	authority, path = rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if strings.Contains(path, "#") {
		return "", "", Bad("a fragment in the request target")
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return authority, path, nil
}

// ParseAuthority reads "host" or "host:port", where port is the usual one. It is
// as strict as policy.ParseHostPort, and its errors are that one's.
func ParseAuthority(s string, port uint16) (policy.HostPort, error) {
	if i := strings.LastIndexByte(s, ':'); i < 0 || strings.HasSuffix(s, "]") {
		s = fmt.Sprintf("%s:%d", s, port)
	}
	return policy.ParseHostPort(s)
}
