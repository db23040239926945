package proxy

import (
	"context"
	"net"

	"srun/policy"
	"srun/proxy/internal/addrguard"
	"srun/proxy/internal/audit"
	"srun/proxy/internal/question"
)

// grant is leave to connect to a target, and what it rests on.
type grant struct {
	target target
	dec    policy.Decision
	asked  bool     // the user said yes
	inside bool     // on the sandbox's own loopback
	from   net.Addr // who came from outside to a published port; nil for the command

	passage audit.Passage // set once it led to a connection
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
	case g.inside:
		return "the sandbox's own"
	case g.dec.Verdict != policy.Allowed:
		return "left to the custom proxy"
	}
	return g.dec.Rule
}

// decider decides who may connect where.
type decider struct {
	rules  *nameRules
	asker  *question.Asker
	guard  *addrguard.Guard
	inside *Inside
	custom bool // there is a custom proxy
}

// door is a way in: what admit has to know of who asks. A door decides only where
// the rules are silent.
type door interface {
	// silent decides on a target that no rule decides. question.ErrMoot has admit
	// look at the rules once more.
	silent(ctx context.Context, by *decider, to target) (grant, error)
}

// admit decides on a target, for every door: by the rules and, where they are
// silent, by what the door does then. A refusal is returned as a *Denial, not yet
// reported.
func (d *decider) admit(ctx context.Context, to target, in door) (grant, error) {
	to = d.rules.named(to)
	for {
		to, dec := d.rules.judge(to)
		switch dec.Verdict {
		case policy.Allowed:
			return grant{target: to, dec: dec}, nil
		case policy.Denied:
			return grant{}, byRule(to, dec)
		}
		if g, err := in.silent(ctx, d, to); err != question.ErrMoot {
			return g, err
		}
	}
}

// customProxyDecides reports that a custom proxy judges what no rule does: that
// is so while no allow rule exists at all.
func (d *decider) customProxyDecides() bool { return d.custom && d.rules.domains.Load().Empty() }

// neverAsked refuses an address that the guard would refuse: no question about
// cloud metadata is put to a user in a hurry. A rule that names the very
// address still allows it.
func (d *decider) neverAsked(to target) error {
	a, ok := to.address()
	if !ok {
		return nil
	}
	o, err := d.guard.Judge(a, false)
	if err != nil || o == nil {
		return err
	}
	denial := newDenial(to, policy.Decision{}, CodeAddress, o.String())
	if !o.Final {
		denial.Allow = grantOf(to)
	}
	return denial
}
