package policy

import (
	"path/filepath"

	"srun/policy/pathtree"
)

// PathDecision is a verdict on a path and what it rests on.
type PathDecision struct {
	Verdict Verdict // Allowed or Denied
	Rule    string  // the path or glob that decided, "" when none did
	Source  Source  // zero when no rule decided
	Reason  string  // in the words of a denial line: "denyRead", "protected path"
}

// ReadVerdict judges a read of path, which must be absolute with its symbolic
// links resolved. The narrowest rule wins and a tie denies, except that an
// allowRead of a path on the default list opens that very path. What may be written
// inside what is denied may be read. What no rule covers is allowed.
func (p *Policy) ReadVerdict(path string) PathDecision {
	d, rules := p.Filesystem.decide(filepath.Clean(path))
	switch {
	case d.Read == pathtree.None:
		return PathDecision{Verdict: Allowed}
	case !d.NoRead && d.Read == d.Write:
		return PathDecision{Allowed, rules[d.Read].Path, rules[d.Read].Source, "allowWrite"}
	case !d.NoRead:
		return PathDecision{Allowed, rules[d.Read].Path, rules[d.Read].Source, "allowRead"}
	case rules[d.Read].Source.Tier == TierDefault:
		return PathDecision{Denied, rules[d.Read].Path, rules[d.Read].Source, "credentials, default deny list"}
	}
	return PathDecision{Denied, rules[d.Read].Path, rules[d.Read].Source, "denyRead"}
}

// WriteVerdict judges a write to path, which must be absolute with its
// symbolic links resolved. Protected paths that are not opened,
// and denyWrite always, win; what
// allowWrite does not cover is denied. The private temporary directory is not
// known here, nor is what git finds: see Protected.
func (p *Policy) WriteVerdict(path string) PathDecision {
	path = filepath.Clean(path)
	opened := p.Opened(path)
	for name := range p.protected() {
		if !opened && name.Covers(path) {
			return PathDecision{Denied, name.Path, Source{Tier: TierDefault}, "protected path"}
		}
	}
	d, rules := p.Filesystem.decide(path)
	switch {
	case d.Write == pathtree.None:
		return PathDecision{Verdict: Denied, Reason: "not in allowWrite"}
	case d.NoWrite:
		return PathDecision{Denied, rules[d.Write].Path, rules[d.Write].Source, "denyWrite"}
	}
	return PathDecision{Allowed, rules[d.Write].Path, rules[d.Write].Source, "allowWrite"}
}

// decide asks the path lists, whose rules it returns as the decision counts them.
func (f *Filesystem) decide(path string) (pathtree.Decision, []PathRule) {
	var rules []PathRule
	var list []pathtree.Rule
	add := func(all []PathRule, as func(PathRule) pathtree.Effects) {
		for _, r := range all {
			rules = append(rules, r)
			list = append(list, pathtree.Rule{Path: r.Path, Glob: r.Glob, Effects: as(r)})
		}
	}
	add(f.DenyRead, PathRule.denyRead)
	add(f.AllowRead, func(PathRule) pathtree.Effects { return pathtree.Effects{AllowRead: true} })
	add(f.DenyWrite, func(PathRule) pathtree.Effects { return pathtree.Effects{DenyWrite: true} })
	add(f.AllowWrite, func(PathRule) pathtree.Effects { return pathtree.Effects{AllowWrite: true} })
	return pathtree.NewRules(list).Decide(path), rules
}

// denyRead is what a rule of the denyRead list does: a default gives way to an
// allowRead of the same path.
func (r PathRule) denyRead() pathtree.Effects {
	if r.Source.Tier == TierDefault {
		return pathtree.Effects{HideByDefault: true}
	}
	return pathtree.Effects{DenyRead: true}
}
