package launcher

import (
	"path/filepath"
	"strings"
	"time"

	"srun/policy"
	"srun/policy/pathtree"
)

// deniedFile reports a refused act on a file, with the rule that refused it.
func (c *Cmd) deniedFile(f FileDenial) {
	d := Denial{
		Time: time.Now(), Operation: f.Operation, Target: f.Path, Reason: f.Reason, PID: f.PID, Command: f.Command,
	}
	d.Rule, d.Source = f.Rule, f.Source
	switch {
	case f.Reason == "":
		v := fileVerdict(c.Policy, f)
		d.Reason, d.Rule, d.Source = v.Reason, v.Rule, v.Source
		d.Allow = fileGrant(c.Policy, f)
	case f.Protected:
		d.Allow = openGrant(c.Policy, f)
	}
	c.denied(d)
}

// fileVerdict finds the policy's reason. Where the policy knows none, the
// backend refused what it found itself: what git trusts, or a path that a rule
// leads to by a link.
func fileVerdict(p *policy.Policy, f FileDenial) policy.PathDecision {
	if f.Operation == "write" {
		v := p.WriteVerdict(f.Ruled)
		if v.Verdict == policy.Denied && (v.Rule != "" || !f.Fixed && !f.Hidden) {
			return v
		}
		if !f.Hidden {
			return policy.PathDecision{Verdict: policy.Denied, Source: policy.Source{Tier: policy.TierDefault}, Reason: "protected path"}
		}
	}
	if v := p.ReadVerdict(f.Ruled); v.Verdict == policy.Denied {
		return v
	}
	if f.Secret {
		return policy.PathDecision{Verdict: policy.Denied, Source: policy.Source{Tier: policy.TierDefault}, Reason: "credentials, default deny list"}
	}
	return policy.PathDecision{Verdict: policy.Denied, Reason: "denyRead"}
}

// fileGrant returns the flags that would allow it, "" where none would.
func fileGrant(p *policy.Policy, f FileDenial) string {
	if flags := openGrant(p, f); flags != "" {
		return flags
	}
	unknown := f.Hidden && p.ReadVerdict(f.Ruled).Verdict != policy.Denied // through a link
	if f.Grant == "" || f.Grant == "/" || f.Fixed || unknown {
		return ""
	}
	with := *p
	rule := policy.PathRule{Path: f.Grant, Source: policy.Source{Tier: policy.TierFlag}}
	var flags []string
	if f.Hidden {
		with.Filesystem.AllowRead = append([]policy.PathRule{rule}, p.Filesystem.AllowRead...)
		flags = append(flags, "--allow-read "+tilde(p.Home, f.Grant))
	}
	if f.Operation == "write" && p.WriteVerdict(f.Ruled).Verdict == policy.Denied {
		with.Filesystem.AllowWrite = append([]policy.PathRule{rule}, p.Filesystem.AllowWrite...)
		flags = append(flags, "--allow-write "+tilde(p.Home, f.Grant))
	}
	readable := with.ReadVerdict(f.Ruled).Verdict == policy.Allowed
	writable := f.Operation != "write" || with.WriteVerdict(f.Ruled).Verdict == policy.Allowed
	if !readable || !writable {
		return ""
	}
	return strings.Join(flags, " ")
}

// openGrant returns the flags that would let a project's protected path be
// written. For srun's own there are none; those of the home are not offered but
// where the command works in one.
func openGrant(p *policy.Policy, f FileDenial) string {
	v := p.WriteVerdict(f.Ruled)
	if f.Operation == "write" && f.Fixed && v.Verdict == policy.Allowed && policy.LoadedByDirenv(f.Ruled) {
		return "--open-protected " + tilde(p.Home, f.Ruled)
	}
	if f.Operation != "write" || f.Hidden || v.Reason != "protected path" || v.Rule == "" {
		return ""
	}
	open := f.Ruled
	if filepath.IsAbs(v.Rule) {
		if open = v.Rule; !pathtree.Contains(open, p.Dir) {
			return ""
		}
	}
	rule := policy.PathRule{Path: open, Source: policy.Source{Tier: policy.TierFlag}}
	with := *p
	with.Filesystem.OpenProtected = append([]policy.PathRule{rule}, p.Filesystem.OpenProtected...)
	if with.WriteVerdict(f.Ruled).Verdict != policy.Allowed {
		return ""
	}
	return "--open-protected " + tilde(p.Home, open)
}

// tilde is a path as the user would type it.
func tilde(home, path string) string {
	if rest, ok := strings.CutPrefix(path, home+"/"); ok && home != "" && home != "/" {
		return "~/" + rest
	}
	return path
}
