package proxy

import (
	"context"
	"net"

	"srun/policy"
)

// grant is leave to connect to a target, and what it rests on.
type grant struct {
	target target
	dec    policy.Decision
	asked  bool     // the user said yes
	from   net.Addr // who came from outside to a published port; nil for the command

	passage passage // set once it led to a connection
}

// exact reports that the very address was allowed, by a rule or by the user:
// the guard has nothing to add.
func (g grant) exact() bool {
	return g.dec.Exact || g.asked && g.target.literal()
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

// admit decides on a target, for every door: by the rules and, where they are
// silent, by what the door does then. A refusal is returned as a *Denial, not yet
// reported.
func (s *Server) admit(ctx context.Context, to target, d door) (grant, error) {
	to = s.named(to)
	for {
		to, dec := s.judge(to)
		switch dec.Verdict {
		case policy.Allowed:
			return grant{target: to, dec: dec}, nil
		case policy.Denied:
			return grant{}, byRule(to, dec)
		}
		if g, err := d.silent(ctx, s, to); err != errMoot {
			return g, err
		}
	}
}

// named puts back the name that a synthetic address stands for.
func (s *Server) named(to target) target {
	if a, ok := to.address(); ok {
		if name, ok := s.names.Lookup(a); ok {
			return targetOf(policy.HostPort{Host: name, Port: to.Port})
		}
	}
	return to
}

// judge applies the rules. Those of localhost cover 127.0.0.1 and ::1 as well, and
// what they decide is then the host's loopback; deny beats allow here too. For any
// port, a name is allowed when it is on some port.
func (s *Server) judge(to target) (target, policy.Decision) {
	rules := s.domains.Load()
	if to.Port == 0 {
		return to, rules.DecideHost(to.Host)
	}
	dec := rules.Decide(to.HostPort)
	if dec.Verdict == policy.Denied || !to.mayBeHost() {
		return to, dec
	}
	host := hostAt(to.Port)
	if named := rules.Decide(host.HostPort); named.Verdict == policy.Denied || dec.Verdict == policy.Undecided {
		return host, named
	}
	return to, dec
}
