package launcher

import (
	"net"

	"srun/policy"
	"srun/proxy"
)

// newServer makes the run's proxy from the policy.
func (c *Cmd) newServer(peer func(net.Conn) proxy.Process) (*proxy.Server, error) {
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
	up := c.Upstream
	if u := n.UpstreamProxy; u != nil {
		up = Upstream{HTTP: u.String(), Other: u.String(), NoProxy: n.NoProxy}
	}
	if up.HTTP != "" || up.Other != "" {
		var err error
		if cfg.Upstream, err = proxy.ParseUpstream(up.HTTP, up.Other, up.NoProxy); err != nil {
			return nil, err
		}
	}
	return proxy.New(cfg), nil
}

// filtered reports whether the command's network goes through the proxy.
func filtered(p *policy.Policy) bool {
	return p.Network.Mode == policy.ModeFiltered || p.Network.Mode == ""
}
