package proxy

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"srun/proxy/internal/addrguard"
	"srun/proxy/internal/dialing"
	"srun/proxy/internal/upstream"
)

// dialler opens the connections that grants allow.
type dialler struct {
	exits exits
	out   *dialing.Net
	rules *nameRules
	guard *addrguard.Guard

	inside *Inside
}

// dial opens the connection that a grant allows: through a proxy where one is
// set, else to an address that the guard passed. A refusal is a *Denial, not
// yet reported.
func (d *dialler) dial(ctx context.Context, g grant, via string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if g.inside {
		return d.inside.dial(ctx, g.target.Port)
	}
	if p := d.exits.proxyFor(g.target, via); p != nil {
		if err := d.checkLiteral(g); err != nil {
			return nil, err
		}
		conn, read, err := p.Tunnel(ctx, d.out, g.target.HostPort)
		if err != nil {
			return nil, err
		}
		return withPreread(conn, read), nil
	}
	return d.dialDirect(ctx, g)
}

// dialHTTP is dial for plain HTTP requests. When the connection leads to an
// HTTP proxy, to be told each request's server, that proxy is returned too.
func (d *dialler) dialHTTP(ctx context.Context, g grant) (net.Conn, *upstream.Proxy, error) {
	p := d.exits.proxyFor(g.target, viaHTTP)
	if p == nil || p.SOCKS() || g.inside {
		conn, err := d.dial(ctx, g, viaHTTP)
		return conn, nil, err
	}
	if err := d.checkLiteral(g); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := p.Dial(ctx, d.out)
	return conn, p, err
}

func (d *dialler) dialDirect(ctx context.Context, g grant) (net.Conn, error) {
	addrs, err := d.addresses(ctx, g)
	if err != nil {
		return nil, err
	}
	return d.out.Any(ctx, addrs, g.target.Port)
}

// addresses returns what may be dialled for a grant, at least one address. A
// name is resolved here and nowhere else: whatever it resolves to later, these
// are the addresses that count.
func (d *dialler) addresses(ctx context.Context, g grant) ([]netip.Addr, error) {
	if a, ok := g.target.address(); ok {
		return []netip.Addr{a}, d.checkLiteral(g)
	}
	if g.target.kind == theHost && g.exact() {
		return d.notDenied(g, []netip.Addr{loopback4, loopback6})
	}
	found, err := d.out.Lookup(ctx, g.target.Host)
	if err != nil {
		return nil, err
	}
	if found, err = d.notDenied(g, found); err != nil {
		return nil, err
	}
	return d.passing(g, found)
}

// notDenied keeps the addresses that no rule of deniedDomains denies: who
// denies an address means it under every name.
func (d *dialler) notDenied(g grant, found []netip.Addr) ([]netip.Addr, error) {
	var kept []netip.Addr
	var first *Denial
	for _, a := range found {
		a = a.Unmap().WithZone("")
		denial := d.rules.deniedAddress(g.target, a)
		switch {
		case denial == nil:
			kept = append(kept, a)
		case first == nil:
			first = denial
			first.Reason = "resolves to " + a.String() + ", " + first.Reason
		}
	}
	if len(kept) == 0 {
		return nil, first
	}
	return kept, nil
}

// passing keeps the addresses that the guard passes. When none is left, the
// first objection is the reason.
func (d *dialler) passing(g grant, found []netip.Addr) ([]netip.Addr, error) {
	var passed []netip.Addr
	var first *addrguard.Objection
	for _, a := range found {
		a = a.Unmap().WithZone("")
		o, err := d.guard.Judge(a, g.dec.Wildcard)
		switch {
		case err != nil:
			return nil, err
		case o == nil && !slices.Contains(passed, a):
			passed = append(passed, a)
		case o != nil && first == nil:
			first = o
		}
	}
	if len(passed) > 0 {
		return passed, nil
	}
	denial := newDenial(g.target, g.dec, CodeAddress, "resolves to "+first.String())
	if !first.Final {
		denial.Reason += ", and only the wildcard " + g.dec.Rule + " allows the name"
		denial.Allow = grantOf(g.target)
	}
	return nil, denial
}

// checkLiteral guards an address that the command itself named. One that a
// rule names exactly is held only against deniedResolvedAddresses.
func (d *dialler) checkLiteral(g grant) error {
	a, ok := g.target.address()
	if !ok {
		return nil
	}
	if denial := d.rules.deniedAddress(g.target, a); denial != nil {
		return denial
	}
	if g.exact() {
		if p, denied := d.guard.DeniedBy(a); denied {
			return newDenial(g.target, g.dec, CodeAddress, p.String()+" in deniedResolvedAddresses")
		}
		return nil
	}
	o, err := d.guard.Judge(a, g.dec.Wildcard)
	if err != nil || o == nil {
		return err
	}
	denial := newDenial(g.target, g.dec, CodeAddress, o.String())
	denial.Allow = grantOf(g.target)
	return denial
}
