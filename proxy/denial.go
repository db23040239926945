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

// Denial is one refusal. Its Target is "example.com:443", or "example.com" in DNS.
type Denial struct {
	policy.Denial
	Host   policy.HostPort // the target parsed; zero when it could not be, port 0 in DNS
	Code   string          // one of the Code constants
	Method string          // of the request that was refused, "" when none was
	Path   string          // of that request, without its query
}

// Told is the denial as it is told, whose reason has the request that was refused
// if one was.
func (d Denial) Told() policy.Denial {
	told := d.Denial
	if d.Method != "" {
		told.Reason = d.Method + " " + d.Path + ": " + d.Reason
	}
	return told
}

// Line returns the denial in one line of printable text, whatever the client sent:
//
//	denied network example.com:443 (not in allowedDomains)
func (d Denial) Line() string { return d.Told().Line() }

// Error makes a Denial the error of the step that refused.
func (d *Denial) Error() string { return d.Line() }

// newDenial is a refusal of a target that parsed. dec is the decision it rests
// on, zero for none.
func newDenial(to target, dec policy.Decision, code, reason string) *Denial {
	return &Denial{
		Denial: policy.Denial{
			Time:      time.Now(),
			Target:    to.String(),
			Operation: "network",
			Reason:    oneline.Printable(reason),
			Rule:      dec.Rule,
			Source:    dec.Source,
		},
		Host: to.HostPort,
		Code: code,
	}
}

// badTarget is a refusal of a target that is no valid address.
func badTarget(raw string, err error) *Denial {
	return &Denial{
		Denial: policy.Denial{
			Time:      time.Now(),
			Target:    oneline.Quote(raw),
			Operation: "network",
			Reason:    oneline.Printable("not a valid target: " + err.Error()),
		},
		Code: CodeAllowlist,
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
	d.Allow = grantOf(to)
	return d
}

// grantOf is what would allow target. Only localhost needs its port, for the name
// alone would open every service of the host.
func grantOf(to target) []policy.Grant {
	host := to.Host.String()
	if to.kind == theHost && to.Port != 0 {
		host = to.String()
	}
	return []policy.Grant{{Kind: policy.GrantDomain, Value: host}}
}
