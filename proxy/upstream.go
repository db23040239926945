package proxy

import "srun/proxy/internal/upstream"

// Upstream is a corporate proxy with the targets that do not go through it.
type Upstream = upstream.Upstream

// ParseUpstream reads proxy URLs in the forms of HTTP_PROXY and HTTPS_PROXY
// ("http://user:password@proxy.corp:3128", also https, socks5 and socks5h; a
// bare host:port is http) and the list of NO_PROXY. An empty URL is no proxy
// for that traffic. Either kind of SOCKS proxy resolves the names itself.
func ParseUpstream(forHTTP, forOther, except string) (*Upstream, error) {
	return upstream.Parse(forHTTP, forOther, except)
}
