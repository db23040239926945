package proxy

import (
	"time"

	"srun/policy"
	"srun/proxy/internal/oneline"
)

// The codes of a Denial, sent in X-Proxy-Error.
const (
	CodeAllowlist    = "blocked-by-allowlist"
	CodeDenylist     = "blocked-by-denylist"
	CodeAddress      = "blocked-by-address"
	CodeSNIMismatch  = "blocked-by-sni-mismatch"
	CodeMethodPolicy = "blocked-by-method-policy"
)

// Denial is one refusal.
type Denial struct {
	Time      time.Time
	Target    string          // "example.com:443", or "example.com" in DNS
	Host      policy.HostPort // the target parsed; zero when it could not be, port 0 in DNS
	Operation string          // always "network"
	Reason    string          // "not in allowedDomains", "resolves to loopback address 127.0.0.1"
	Code      string          // one of the Code constants
	Rule      string          // the deciding rule, "" when none decided
	Source    policy.Source   // where that rule came from
	Method    string          // of the request that was refused, "" when none was
	Path      string          // of that request, without its query
	Process   Process         // zero when unknown
	Allow     string          // the flag that would allow it, "" when none would
}

// Line returns the denial as srun prints it after its prefix:
//
//	denied network example.com:443 (not in allowedDomains); to allow: --allow-domain example.com
//
// It is one line of printable text, whatever the client sent.
func (d Denial) Line() string {
	line := "denied network " + d.Target + " (" + d.Why() + ")"
	if d.Allow != "" {
		line += "; to allow: " + d.Allow
	}
	return line
}

// Why returns the reason, with the request that was refused if one was.
func (d Denial) Why() string {
	if d.Method == "" {
		return d.Reason
	}
	return d.Method + " " + d.Path + ": " + d.Reason
}

// Error makes a Denial the error of the step that refused.
func (d *Denial) Error() string { return d.Line() }

// newDenial is a refusal of a target that parsed. dec is the decision it rests
// on, zero for none.
func newDenial(to target, dec policy.Decision, code, reason string) *Denial {
	return &Denial{
		Time:      time.Now(),
		Target:    to.String(),
		Host:      to.HostPort,
		Operation: "network",
		Reason:    oneline.Printable(reason),
		Code:      code,
		Rule:      dec.Rule,
		Source:    dec.Source,
	}
}

// badTarget is a refusal of a target that is no valid address.
func badTarget(raw string, err error) *Denial {
	return &Denial{
		Time:      time.Now(),
		Target:    oneline.Quote(raw),
		Operation: "network",
		Reason:    oneline.Printable("not a valid target: " + err.Error()),
		Code:      CodeAllowlist,
	}
}

// byRule is a refusal by a rule of deniedDomains.
func byRule(to target, dec policy.Decision) *Denial {
	reason := "denied by rule " + dec.Rule
	if dec.Reason != "" {
		reason += ": " + dec.Reason
	}
	return newDenial(to, dec, CodeDenylist, reason)
}

// unlisted is a refusal of a name that no rule decides.
func unlisted(to target, reason string) *Denial {
	d := newDenial(to, policy.Decision{}, CodeAllowlist, reason)
	d.Allow = allowFlag(to)
	return d
}

// allowFlag is the flag that would allow target. Only localhost needs its
// port, for the name alone would open every service of the host.
func allowFlag(to target) string {
	if to.kind == theHost && to.Port != 0 {
		return "--allow-domain " + to.String()
	}
	return "--allow-domain " + to.Host.String()
}
