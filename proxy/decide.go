package proxy

import (
	"context"
	"net"
	"net/netip"

	"srun/policy"
)

// localhost is the one name that means the host's loopback.
var localhost, _ = policy.ParseHost("localhost")

// grant is leave to connect to a target, and what it rests on.
type grant struct {
	target policy.HostPort
	dec    policy.Decision
	asked  bool     // the user said yes
	from   net.Addr // who came from outside to a published port; nil for the command

	passage passage // set once it led to a connection
}

// exact reports that the very address was allowed, by a rule or by the user:
// the guard has nothing to add.
func (g grant) exact() bool {
	_, literal := g.target.Host.Addr()
	return g.dec.Exact || g.asked && (literal || g.target.Host == localhost)
}

// rule names what allowed the target.
func (g grant) rule() string {
	switch {
	case g.asked:
		return "answered yes"
	case g.dec.Verdict != policy.Allowed:
		return "left to the custom proxy"
	}
	return g.dec.Rule
}

// admit decides on a target by the rules and, where they are silent, by asking.
// A refusal is returned as a *Denial, not yet reported. conn is who asks.
func (s *Server) admit(ctx context.Context, target policy.HostPort, conn net.Conn) (grant, error) {
	target = s.named(target)
	for {
		target, dec := s.judge(target)
		switch dec.Verdict {
		case policy.Allowed:
			return grant{target: target, dec: dec}, nil
		case policy.Denied:
			return grant{}, byRule(target, dec)
		}
		if s.customProxyDecides() {
			return grant{target: target}, nil
		}
		if err := s.neverAsked(target); err != nil {
			return grant{}, err
		}
		switch err := s.ask(ctx, target, conn); err {
		case nil:
			return grant{target: target, asked: true}, nil
		case errMoot:
		default:
			return grant{}, err
		}
	}
}

// named puts back the name that a synthetic address stands for.
func (s *Server) named(target policy.HostPort) policy.HostPort {
	if a, ok := target.Host.Addr(); ok {
		if name, ok := s.names.Lookup(a); ok {
			target.Host = name
		}
	}
	return target
}

// judge applies the rules. A program that looks localhost up has a loopback
// address in hand when it connects, so localhost's rules cover 127.0.0.1 and
// ::1 as well; deny beats allow here too.
func (s *Server) judge(target policy.HostPort) (policy.HostPort, policy.Decision) {
	rules := s.domains.Load()
	dec := rules.Decide(target)
	if a, ok := target.Host.Addr(); !ok || dec.Verdict == policy.Denied || !isLocalhost(a) {
		return target, dec
	}
	byName := policy.HostPort{Host: localhost, Port: target.Port}
	if named := rules.Decide(byName); named.Verdict == policy.Denied || dec.Verdict == policy.Undecided {
		return byName, named
	}
	return target, dec
}

// isLocalhost reports that a is an address that localhost stands for.
func isLocalhost(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a == netip.IPv6Loopback()
}

// neverAsked refuses an address that the guard would refuse: no question about
// cloud metadata is put to a user in a hurry. A rule that names the very
// address still allows it.
func (s *Server) neverAsked(target policy.HostPort) error {
	a, ok := target.Host.Addr()
	if !ok {
		return nil
	}
	o, err := s.guard.Judge(a, false)
	if err != nil || o == nil {
		return err
	}
	d := newDenial(target, policy.Decision{}, CodeAddress, o.String())
	if !o.Final {
		d.Allow = allowFlag(target)
	}
	return d
}
