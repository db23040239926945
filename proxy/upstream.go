package proxy

import (
	"fmt"
)

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
