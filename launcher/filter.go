package launcher

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"

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
		Denied:         func(d proxy.Denial) { c.denied(d.Told()) },
		Line:           c.Words.Denial,
		Peer:           peer,
		HTTPProxyPort:  n.HTTPProxyPort,
		SOCKSProxyPort: n.SOCKSProxyPort,
		Rules:          n.Rules,
		Audit:          c.Audit,
		Warn:           func(line string) { c.warn("%s", line) },
	}
	name, _ := os.Hostname()
	cfg.Inside = &proxy.Inside{Name: name, Ports: c.ownPorts, Dial: func(port uint16) (net.Conn, error) { return c.process.Dial(port) }}
	if c.opening != nil {
		cfg.TLS = c.opening.proxy
	}
	for _, r := range n.DeniedResolvedAddresses {
		cfg.DeniedAddresses = append(cfg.DeniedAddresses, r.Prefix)
	}
	up := c.Upstream
	if u := n.UpstreamProxy; u != nil {
		up = Upstream{HTTP: u.String(), Other: u.String(), NoProxy: n.NoProxy, HTTPFrom: "network.upstreamProxy"}
	}
	var err error
	if cfg.Upstream, err = up.parse(); err != nil {
		return nil, err
	}
	return proxy.New(cfg), nil
}

// parse returns nil where there is no proxy. An error names where the URL came
// from.
func (u Upstream) parse() (*proxy.Upstream, error) {
	if u.HTTP == "" && u.Other == "" {
		return nil, nil
	}
	for _, one := range []struct{ from, url string }{{u.HTTPFrom, u.HTTP}, {u.OtherFrom, u.Other}} {
		if _, err := proxy.ParseUpstream(one.url, "", ""); err != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(one.from, "upstream proxy"), err)
		}
	}
	return proxy.ParseUpstream(u.HTTP, u.Other, u.NoProxy)
}

// SetDomains replaces the rules on names and addresses, from the next connection
// or request on; open tunnels stay. The policy itself does not change. An error
// says that a localhost:PORT which is allowed by now cannot be had on the
// sandbox's own localhost; the rules hold all the same.
func (c *Cmd) SetDomains(d *policy.Domains) error {
	if c.process == nil {
		return errors.New("set domains: not started")
	}
	c.server.SetDomains(d)
	if !filtered(c.Policy) {
		return nil
	}
	return c.forward.more(d, c.process.Forward)
}

// filtered reports whether the command's network goes through the proxy.
func filtered(p *policy.Policy) bool {
	return p.Network.Mode == policy.ModeFiltered || p.Network.Mode == ""
}
