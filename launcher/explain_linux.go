package launcher

import (
	"fmt"
	"slices"

	"srun/linux"
	"srun/policy"
	"srun/policy/redact"
)

func (l *linuxPlan) Rules() []Rule {
	p := l.Policy
	rules := slices.Concat(networkRules(p, "network namespace"), socketRules(&p.Network), pathRules(&p.Filesystem))
	for _, dir := range l.plan.Private {
		rules = append(rules, rule("own directory", dir, "default", "tmpfs of the mount namespace"))
	}
	for _, dir := range l.plan.Layers {
		rules = append(rules, rule("own layer", dir, "default", "overlayfs"))
	}
	for _, m := range l.plan.Missing {
		rules = append(rules, rule("deny write", m.Path, source(m.Source), "broker, refused when made"))
	}
	rules = append(rules, settingRules(p)...)
	for _, op := range l.plan.Mounts {
		rules = append(rules, rule("mount", op.Path, "plan", op.Kind.String()))
	}
	for _, r := range l.plan.Landlock {
		rules = append(rules, rule("landlock", r.Path, "plan", r.Rights.String()))
	}
	return append(rules, rule("deny calls", fmt.Sprint(linux.DeniedCallCount(), " system calls"), "plan", "seccomp"))
}

// pathRules are the path lists, with what enforces each.
func pathRules(f *policy.Filesystem) []Rule {
	var rules []Rule
	for _, list := range []struct {
		effect string
		rules  []policy.PathRule
	}{
		{"allow write", f.AllowWrite}, {"deny write", f.DenyWrite},
		{"open protected", f.OpenProtected},
		{"allow read", f.AllowRead}, {"deny read", f.DenyRead},
		{"allow device", f.Devices},
	} {
		for _, r := range list.rules {
			mechanism := "mount namespace"
			switch {
			case r.Missing:
				mechanism = "not there now"
			case r.Settings != redact.None:
				mechanism = "mount namespace; its settings are shown"
			case list.effect == "allow write":
				mechanism = "mount namespace, Landlock"
			}
			rules = append(rules, rule(list.effect, r.Path, source(r.Source), mechanism))
		}
	}
	return rules
}
