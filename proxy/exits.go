package proxy

import (
	"srun/proxy/internal/upstream"
)

const httpPort = 80

// exits are the proxies that allowed traffic may be handed to.
type exits struct {
	http, socks int // the ports of custom proxies on localhost, 0 for none
	corporate   *upstream.Upstream
}

// custom reports that there is a custom proxy.
func (e exits) custom() bool { return e.http > 0 || e.socks > 0 }

// proxyFor returns the proxy that traffic to a target is handed to, or nil. With
// one of the custom proxies set it is that one: nothing passes it by.
func (e exits) proxyFor(to target, via string) *upstream.Proxy {
	plain := via == viaHTTP
	switch {
	case e.http > 0 && (plain || via == viaConnect || e.socks <= 0):
		return upstream.Custom("http", e.http, "httpProxyPort")
	case e.socks > 0:
		return upstream.Custom("socks5", e.socks, "socksProxyPort")
	}
	return e.corporate.For(to.HostPort, plain || to.Port == httpPort)
}

// defersDial reports that a connection is to be dialled only when the client has
// shown what it speaks.
func (e exits) defersDial(to target, via string) bool {
	if to.Port != httpPort {
		return false
	}
	p := e.proxyFor(to, via)
	return p != nil && !p.SOCKS()
}
