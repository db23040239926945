package policy

// Verdict is what the lists say of a host.
type Verdict int

// Undecided means that no rule covers the host: it is asked or denied.
const (
	Undecided Verdict = iota
	Allowed
	Denied
)

// String returns "undecided", "allowed" or "denied".
func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "allowed"
	case Denied:
		return "denied"
	}
	return "undecided"
}

// Decision is a verdict and the rule it rests on.
//
// The name localhost means the host's loopback, so only a rule that names it
// allows it: no wildcard does, though a denying wildcard covers it.
type Decision struct {
	Verdict Verdict
	Rule    string // the deciding pattern in canonical form, "" when none decided
	Source  Source // where that rule came from, zero when none

	// Wildcard: allowed, and by "*" or "*.name" patterns alone. The name may
	// not resolve to a private address.
	Wildcard bool

	// Exact: allowed by a rule that is this very address, or by localhost's
	// name. A range is not exact: the guard on special addresses holds.
	Exact bool

	Reason string // the user's text from deniedDomainReasons, may be ""
}

// DomainRule is one entry of an allow or deny list.
type DomainRule struct {
	Pattern Pattern
	Source  Source
	Reason  string // shown with a denial, may be ""
}

// Decide judges a host at a port. Deny beats allow, whatever its source. It
// allocates nothing.
func (d *Domains) Decide(hp HostPort) Decision {
	if rule := d.find(hp, denyExact, denyBelow); rule != nil {
		return rule.decision(Denied)
	}
	if rule := d.find(hp, allowExact, allowBelow); rule != nil {
		return rule.decision(Allowed)
	}
	return Decision{}
}

// DecideHost judges a host whose port is not known yet, as in DNS: Denied when
// a rule denies every port, Allowed when some port is allowed and not denied.
func (d *Domains) DecideHost(h Host) Decision {
	if rule := d.find(HostPort{Host: h}, denyExact, denyBelow); rule != nil {
		return rule.decision(Denied)
	}
	if rule := d.find(HostPort{Host: h}, allowExact, allowBelow); rule != nil {
		return rule.decision(Allowed)
	}
	for port := range d.allowedPorts(h) {
		if dec := d.Decide(HostPort{Host: h, Port: port}); dec.Verdict == Allowed {
			return dec
		}
	}
	return Decision{}
}

func (r *DomainRule) decision(v Verdict) Decision {
	dec := Decision{Verdict: v, Rule: r.Pattern.text, Source: r.Source}
	if v == Denied {
		dec.Reason = r.Reason
		return dec
	}
	dec.Wildcard, dec.Exact = r.Pattern.IsWildcard(), r.Pattern.isExact()
	return dec
}
