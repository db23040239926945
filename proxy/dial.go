package proxy

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"srun/proxy/internal/addrguard"
)

// dial opens the connection that a grant allows: through a proxy where one is
// set, else to an address that the guard passed. A refusal is a *Denial, not
// yet reported.
func (s *Server) dial(ctx context.Context, g grant, via string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if p := s.proxyFor(g.target, via); p != nil {
		if err := s.checkLiteral(g); err != nil {
			return nil, err
		}
		return p.tunnel(ctx, s, g.target)
	}
	return s.dialDirect(ctx, g)
}

// dialHTTP is dial for plain HTTP requests. When the connection leads to an
// HTTP proxy, to be told each request's server, that proxy is returned too.
func (s *Server) dialHTTP(ctx context.Context, g grant) (net.Conn, *upstreamProxy, error) {
	p := s.proxyFor(g.target, viaHTTP)
	if p == nil || p.socks() {
		conn, err := s.dial(ctx, g, viaHTTP)
		return conn, nil, err
	}
	if err := s.checkLiteral(g); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := p.dial(ctx, s)
	return conn, p, err
}

func (s *Server) dialDirect(ctx context.Context, g grant) (net.Conn, error) {
	addrs, err := s.addresses(ctx, g)
	if err != nil {
		return nil, err
	}
	return s.dialAny(ctx, addrs, g.target.Port)
}

// addresses returns what may be dialled for a grant, at least one address. A
// name is resolved here and nowhere else: whatever it resolves to later, these
// are the addresses that count.
func (s *Server) addresses(ctx context.Context, g grant) ([]netip.Addr, error) {
	if a, ok := g.target.address(); ok {
		return []netip.Addr{a}, s.checkLiteral(g)
	}
	if g.target.kind == theHost && g.exact() {
		return s.notDenied(g, []netip.Addr{loopback4, loopback6})
	}
	found, err := s.resolve(ctx, g.target.Host)
	if err != nil {
		return nil, err
	}
	if found, err = s.notDenied(g, found); err != nil {
		return nil, err
	}
	return s.passing(g, found)
}

// notDenied keeps the addresses that no rule of deniedDomains denies: who
// denies an address means it under every name.
func (s *Server) notDenied(g grant, found []netip.Addr) ([]netip.Addr, error) {
	var kept []netip.Addr
	var first *Denial
	for _, a := range found {
		a = a.Unmap().WithZone("")
		d := s.deniedAddress(g.target, a)
		switch {
		case d == nil:
			kept = append(kept, a)
		case first == nil:
			first = d
			first.Reason = "resolves to " + a.String() + ", " + first.Reason
		}
	}
	if len(kept) == 0 {
		return nil, first
	}
	return kept, nil
}

// deniedAddress is the denial of a target by a rule on the address that it
// leads to, or on one that this is a form of; nil for none.
func (s *Server) deniedAddress(to target, a netip.Addr) *Denial {
	rules := s.domains.Load()
	for _, form := range append(addrguard.Embedded(a), a) {
		if dec, denied := rules.DeniedAddr(form, to.Port); denied {
			return byRule(to, dec)
		}
	}
	return nil
}

// passing keeps the addresses that the guard passes. When none is left, the
// first objection is the reason.
func (s *Server) passing(g grant, found []netip.Addr) ([]netip.Addr, error) {
	var passed []netip.Addr
	var first *addrguard.Objection
	for _, a := range found {
		a = a.Unmap().WithZone("")
		o, err := s.guard.Judge(a, g.dec.Wildcard)
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
	d := newDenial(g.target, g.dec, CodeAddress, "resolves to "+first.String())
	if !first.Final {
		d.Reason += ", and only the wildcard " + g.dec.Rule + " allows the name"
		d.Allow = grantOf(g.target)
	}
	return nil, d
}

// checkLiteral guards an address that the command itself named. One that a
// rule names exactly is held only against deniedResolvedAddresses.
func (s *Server) checkLiteral(g grant) error {
	a, ok := g.target.address()
	if !ok {
		return nil
	}
	if d := s.deniedAddress(g.target, a); d != nil {
		return d
	}
	if g.exact() {
		if p, denied := s.guard.DeniedBy(a); denied {
			return newDenial(g.target, g.dec, CodeAddress, p.String()+" in deniedResolvedAddresses")
		}
		return nil
	}
	o, err := s.guard.Judge(a, g.dec.Wildcard)
	if err != nil || o == nil {
		return err
	}
	d := newDenial(g.target, g.dec, CodeAddress, o.String())
	d.Allow = grantOf(g.target)
	return d
}

// dialAddr opens one TCP connection, never MPTCP.
func (s *Server) dialAddr(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
	if s.cfg.Dial != nil {
		return s.cfg.Dial(ctx, "tcp", a.String())
	}
	d := net.Dialer{KeepAlive: keepAlive}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, "tcp", a.String())
}

// dialAny connects to the first of the addresses that answers: they are
// tried in turn, families alternating, each a moment after the one before or
// at once when that failed (RFC 8305). The error is that of the first address.
func (s *Server) dialAny(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	if len(addrs) == 1 {
		return s.dialAddr(ctx, netip.AddrPortFrom(addrs[0], port))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	race := &race{dial: s.dialAddr, ctx: ctx, port: port, addrs: alternate(addrs), results: make(chan attempt)}
	return race.run()
}
