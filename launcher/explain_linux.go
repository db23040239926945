package launcher

import (
	"errors"
	"fmt"

	"srun/linux"
	"srun/policy"
)

// Missing names the protection that an error of Start says cannot be enforced,
// "" when the error is about something else.
func Missing(err error) string {
	if e, ok := errors.AsType[*linux.Error](err); ok {
		return e.Protection
	}
	return ""
}

// Capabilities is what this build enforces on Linux.
func Capabilities() policy.Capabilities {
	return policy.Capabilities{
		AddressRules:  true,
		CustomProxy:   true,
		UpstreamProxy: true,
		NetworkNone:   true,
		NetworkHost:   true,
		MissingPaths:  true,
		Globs:         true,
		UnixSockets:   true,
		Forward:       true,
		Publish:       true,
		LocalBinding:  true,
		AllUnix:       true,
		Timeout:       true,
		TLSTerminate:  true,
		RequestRules:  true,
	}
}

// Explain returns the rules of a policy and the very operations that would
// apply them here. It runs nothing.
func Explain(p *policy.Policy) ([]Rule, error) {
	host := linux.ThisHost()
	if p.Network.TLSTerminate != nil && filtered(p) {
		host.Trust = trust(nil)
	}
	plan, err := linux.NewPlan(p, p.Dir, host)
	if err != nil {
		return nil, err
	}
	rules := networkRules(p, "network namespace")
	for _, list := range []struct {
		effect string
		rules  []policy.PathRule
	}{
		{"allow write", p.Filesystem.AllowWrite}, {"deny write", p.Filesystem.DenyWrite},
		{"open protected", p.Filesystem.OpenProtected},
		{"allow read", p.Filesystem.AllowRead}, {"deny read", p.Filesystem.DenyRead},
	} {
		for _, r := range list.rules {
			mechanism := "mount namespace"
			switch {
			case r.Missing:
				mechanism = "not there now"
			case list.effect == "allow write":
				mechanism = "mount namespace, Landlock"
			}
			rules = append(rules, Rule{list.effect, r.Path, source(r.Source), mechanism})
		}
	}
	for _, m := range plan.Missing {
		rules = append(rules, Rule{"deny write", m.Path, source(m.Source), "broker, refused when made"})
	}
	for _, s := range p.Scalars {
		rules = append(rules, Rule{"setting", s.Key + " = " + s.Value, source(s.Source), "srun"})
	}
	rules = append(rules, environmentRules(p)...)
	for _, op := range plan.Mounts {
		rules = append(rules, Rule{"mount", op.Path, "plan", op.Kind.String()})
	}
	for _, r := range plan.Landlock {
		rules = append(rules, Rule{"landlock", r.Path, "plan", r.Rights.String()})
	}
	return append(rules, Rule{"deny calls", fmt.Sprint(linux.DeniedCallCount(), " system calls"), "plan", "seccomp"}), nil
}

// Doctor finds out what this host can enforce, by running the command true in
// a sandbox at full strength.
func Doctor() []Check {
	checks := linux.Probe()
	out := make([]Check, 0, len(checks))
	for _, c := range checks {
		out = append(out, Check(c))
	}
	return out
}
