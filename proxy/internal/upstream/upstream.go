package upstream

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"strings"

	"srun/policy"
	"srun/proxy/internal/http1"
)

// Proxy is a proxy that allowed traffic is handed to.
type Proxy struct {
	scheme string // "http", "https" or "socks5"
	host   string // a name or address
	port   string
	user   *url.Userinfo // nil for none
	what   string        // as an error names it
}

// SOCKS reports a SOCKS proxy, which is told each connection's target; an HTTP proxy
// may be told each request's instead.
func (p *Proxy) SOCKS() bool { return p.scheme == "socks5" }

// WriteAuth writes the credentials for a request to an HTTP proxy.
func (p *Proxy) WriteAuth(bw *bufio.Writer) {
	if p.user == nil {
		return
	}
	password, _ := p.user.Password()
	pair := p.user.Username() + ":" + password
	http1.WriteField(bw, "Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
}

func parseProxyURL(s string) (*Proxy, error) {
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
	p := &Proxy{scheme: u.Scheme, host: u.Hostname(), port: u.Port(), user: u.User}
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

// Custom is the proxy on a port of the host's loopback, of the setting of that name.
func Custom(scheme string, port int, setting string) *Proxy {
	return &Proxy{scheme: scheme, host: "127.0.0.1", port: fmt.Sprint(port),
		what: fmt.Sprintf("the custom proxy on localhost:%d (%s)", port, setting)}
}

// Upstream is a corporate proxy with the targets that do not go through it.
type Upstream struct {
	web   *Proxy // for plain HTTP
	other *Proxy // for all else
	no    noProxy
}

// Parse reads proxy URLs in the forms of HTTP_PROXY and HTTPS_PROXY
// ("http://user:password@proxy.corp:3128", also https, socks5 and socks5h; a
// bare host:port is http) and the list of NO_PROXY. An empty URL is no proxy
// for that traffic. Either kind of SOCKS proxy resolves the names itself.
func Parse(forHTTP, forOther, except string) (*Upstream, error) {
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

// For returns the proxy for a target, or nil. plain says that it is for plain HTTP.
func (u *Upstream) For(to policy.HostPort, plain bool) *Proxy {
	switch {
	case u == nil || to.Host == policy.Localhost || u.no.matches(to):
		return nil
	case plain:
		return u.web
	}
	return u.other
}

// Refusal is the answer no of a proxy that traffic was handed to.
type Refusal struct {
	what   string
	Status int // HTTP's, or the nearest for a SOCKS reply
	reply  string
}

func (e *Refusal) Error() string { return e.what + " refused: " + e.reply }

// Down is a proxy that could not be reached.
type Down struct {
	what string
	err  error
}

func (e *Down) Error() string { return e.what + " does not answer: " + e.err.Error() }
func (e *Down) Unwrap() error { return e.err }
