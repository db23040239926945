package proxy

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"srun/policy"
	"srun/proxy/internal/http1"
)

// upstreamProxy is a proxy that allowed traffic is handed to.
type upstreamProxy struct {
	scheme string // "http", "https" or "socks5"
	host   string // a name or address
	port   string
	user   *url.Userinfo // nil for none
	what   string        // as an error names it
}

func (p *upstreamProxy) socks() bool { return p.scheme == "socks5" }

// writeAuth writes the credentials for a request to an HTTP proxy.
func (p *upstreamProxy) writeAuth(bw *bufio.Writer) {
	if p.user == nil {
		return
	}
	password, _ := p.user.Password()
	pair := p.user.Username() + ":" + password
	http1.WriteField(bw, "Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
}

// customProxy is the one of the two custom proxies that traffic which came in
// that way goes to. With one of them set it is that one: nothing passes it by.
func (s *Server) customProxy(via string) *upstreamProxy {
	web, socks := s.cfg.HTTPProxyPort, s.cfg.SOCKSProxyPort
	viaWeb := via == viaHTTP || via == viaConnect
	switch {
	case web > 0 && (viaWeb || socks <= 0):
		return &upstreamProxy{scheme: "http", host: "127.0.0.1", port: fmt.Sprint(web),
			what: fmt.Sprintf("the custom proxy on localhost:%d (httpProxyPort)", web)}
	case socks > 0:
		return &upstreamProxy{scheme: "socks5", host: "127.0.0.1", port: fmt.Sprint(socks),
			what: fmt.Sprintf("the custom proxy on localhost:%d (socksProxyPort)", socks)}
	}
	return nil
}

// customProxyDecides reports that a custom proxy judges what no rule does: that
// is so while no allow rule exists at all.
func (s *Server) customProxyDecides() bool {
	return (s.cfg.HTTPProxyPort > 0 || s.cfg.SOCKSProxyPort > 0) && s.domains.Load().Empty()
}

// proxyFor returns the proxy that traffic to a target is handed to, or nil.
func (s *Server) proxyFor(to target, via string) *upstreamProxy {
	if p := s.customProxy(via); p != nil {
		return p
	}
	return s.cfg.Upstream.proxyFor(to, via)
}

// Upstream is a corporate proxy with the targets that do not go through it.
type Upstream struct {
	web   *upstreamProxy // for plain HTTP
	other *upstreamProxy // for all else
	no    noProxy
}

// ParseUpstream reads proxy URLs in the forms of HTTP_PROXY and HTTPS_PROXY
// ("http://user:password@proxy.corp:3128", also https, socks5 and socks5h; a
// bare host:port is http) and the list of NO_PROXY. An empty URL is no proxy
// for that traffic. Either kind of SOCKS proxy resolves the names itself.
func ParseUpstream(forHTTP, forOther, except string) (*Upstream, error) {
	web, err := parseProxyURL(forHTTP)
	if err != nil {
		return nil, err
	}
	other, err := parseProxyURL(forOther)
	if err != nil {
		return nil, err
	}
	return &Upstream{web: web, other: other, no: parseNoProxy(except)}, nil
}

func (u *Upstream) proxyFor(to target, via string) *upstreamProxy {
	switch {
	case u == nil || to.kind == theHost || u.no.matches(to):
		return nil
	case via == viaHTTP, to.Port == httpPort:
		return u.web
	}
	return u.other
}

func parseProxyURL(s string) (*upstreamProxy, error) {
	if s == "" {
		return nil, nil
	}
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("not a URL such as http://proxy.example:3128")
	}
	p := &upstreamProxy{scheme: u.Scheme, host: u.Hostname(), port: u.Port(), user: u.User}
	ports := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}
	usual, ok := ports[p.scheme]
	if !ok {
		return nil, fmt.Errorf("scheme %q: http, https, socks5 or socks5h", p.scheme)
	}
	if p.port == "" {
		p.port = usual
	}
	if _, err := policy.ParsePort(p.port); err != nil {
		return nil, err
	}
	if _, err := policy.ParseHost(p.host); err != nil {
		return nil, err
	}
	p.scheme = strings.TrimSuffix(p.scheme, "h")
	p.what = "the upstream proxy " + net.JoinHostPort(p.host, p.port)
	return p, nil
}

// noProxy is the list of NO_PROXY: names with all below them, addresses,
// ranges, each with a port or without, and "*".
type noProxy []noProxyRule

type noProxyRule struct {
	all    bool
	name   string // the name itself and those below it; with a leading dot only those below
	prefix netip.Prefix
	port   string
}

func parseNoProxy(s string) (list noProxy) {
	for _, item := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		list = append(list, parseNoProxyRule(strings.ToLower(item)))
	}
	return list
}

func parseNoProxyRule(s string) (r noProxyRule) {
	if s == "*" {
		return noProxyRule{all: true}
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return noProxyRule{prefix: p.Masked()}
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return noProxyRule{prefix: netip.PrefixFrom(a, a.BitLen())}
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		r = parseNoProxyRule(host)
		r.port = port
		return r
	}
	return noProxyRule{name: strings.TrimPrefix(strings.Trim(s, "[]"), "*")}
}

func (list noProxy) matches(to target) bool {
	host := to.Host.String()
	a, literal := to.address()
	if literal && a.IsLoopback() {
		return true
	}
	for _, r := range list {
		switch {
		case r.port != "" && r.port != fmt.Sprint(to.Port):
		case r.all:
			return true
		case literal:
			if r.prefix.IsValid() && r.prefix.Contains(a) {
				return true
			}
		case r.name != "" && (host == r.name || strings.HasSuffix(host, "."+strings.TrimPrefix(r.name, "."))):
			return true
		}
	}
	return false
}
