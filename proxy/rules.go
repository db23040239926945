package proxy

import (
	"net/netip"
	"sync/atomic"

	"srun/policy"
	"srun/proxy/internal/addrguard"
	"srun/proxy/internal/fakedns"
)

// nameRules are those on names and addresses, which may change at any time.
type nameRules struct {
	domains atomic.Pointer[policy.Domains]
	names   fakedns.Table // what synthetic addresses stand for
}

func (r *nameRules) set(d *policy.Domains) {
	if d == nil {
		d = policy.NewDomains(nil, nil)
	}
	r.domains.Store(d)
}

// named puts back the name that a synthetic address stands for.
func (r *nameRules) named(to target) target {
	if a, ok := to.address(); ok {
		if name, ok := r.names.Lookup(a); ok {
			return targetOf(policy.HostPort{Host: name, Port: to.Port})
		}
	}
	return to
}

// judge applies the rules. Those of localhost cover 127.0.0.1 and ::1 as well, and
// what they decide is then the host's loopback; deny beats allow here too. For any
// port, a name is allowed when it is on some port.
func (r *nameRules) judge(to target) (target, policy.Decision) {
	rules := r.domains.Load()
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

// decided reports that a rule decides on a target.
func (r *nameRules) decided(to policy.HostPort) bool {
	_, dec := r.judge(targetOf(to))
	return dec.Verdict != policy.Undecided
}

// deniedAddress is the denial of a target by a rule on the address that it
// leads to, or on one that this is a form of; nil for none.
func (r *nameRules) deniedAddress(to target, a netip.Addr) *Denial {
	rules := r.domains.Load()
	for _, form := range append(addrguard.Embedded(a), a) {
		if dec, denied := rules.DeniedAddr(form, to.Port); denied {
			return byRule(to, dec)
		}
	}
	return nil
}
