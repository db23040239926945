package launcher

import (
	"net"

	"srun/policy"
	"srun/proxy"
)

// newServer makes the run's proxy from the policy.
func (c *Cmd) newServer(peer func(net.Conn) proxy.Process) *proxy.Server {
	n := &c.Policy.Network
	cfg := proxy.Config{
		Domains:        n.Domains(),
		Strict:         n.Strict,
		Ask:            c.Ask,
		Denied:         func(d proxy.Denial) { c.denied(fromProxy(d)) },
		Peer:           peer,
		HTTPProxyPort:  n.HTTPProxyPort,
		SOCKSProxyPort: n.SOCKSProxyPort,
		Audit:          c.Audit,
	}
	for _, r := range n.DeniedResolvedAddresses {
		cfg.DeniedAddresses = append(cfg.DeniedAddresses, r.Prefix)
	}
	return proxy.New(cfg)
}

// filtered reports whether the command's network goes through the proxy.
func filtered(p *policy.Policy) bool {
	return p.Network.Mode == policy.ModeFiltered || p.Network.Mode == ""
}
