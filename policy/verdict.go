package policy

import "path/filepath"

// PathDecision is a verdict on a path and what it rests on.
type PathDecision struct {
	Verdict Verdict // Allowed or Denied
	Rule    string  // the path or glob that decided, "" when none did
	Source  Source  // zero when no rule decided
	Reason  string  // in the words of a denial line: "denyRead", "protected path"
}

// ReadVerdict judges a read of path, which must be absolute with its symbolic
// links resolved. The narrowest rule wins and a tie denies, except that an
// allowRead of a path on the default list opens that very path. What no rule
// covers is allowed.
func (p *Policy) ReadVerdict(path string) PathDecision {
	path = filepath.Clean(path)
	deny, denyLength := narrowest(p.Filesystem.DenyRead, path)
	allow, allowLength := narrowest(p.Filesystem.AllowRead, path)
	switch {
	case deny == nil:
		return PathDecision{Verdict: Allowed}
	case allow == nil || allowLength < denyLength,
		allowLength == denyLength && deny.Source.Tier != TierDefault:
		reason := "denyRead"
		if deny.Source.Tier == TierDefault {
			reason = "credentials, default deny list"
		}
		return PathDecision{Denied, deny.Path, deny.Source, reason}
	}
	return PathDecision{Allowed, allow.Path, allow.Source, "allowRead"}
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
	if deny, _ := narrowest(p.Filesystem.DenyWrite, path); deny != nil {
		return PathDecision{Denied, deny.Path, deny.Source, "denyWrite"}
	}
	if allow, _ := narrowest(p.Filesystem.AllowWrite, path); allow != nil {
		return PathDecision{Allowed, allow.Path, allow.Source, "allowWrite"}
	}
	return PathDecision{Verdict: Denied, Reason: "not in allowWrite"}
}

// narrowest returns the rule that covers path with the longest path of its
// own; of equals a user's rule comes before a default.
func narrowest(rules []PathRule, path string) (best *PathRule, length int) {
	for i := range rules {
		n, ok := rules[i].covers(path)
		if !ok {
			continue
		}
		if best == nil || n > length {
			best, length = &rules[i], n
		}
	}
	return best, length
}
