package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

// add takes one rule. A missing path in an allow list grants nothing; in a deny
// list it is remembered, and so are the links on its way: who could replace
// them would leave the rule without its object.
func (b *builder) add(r policy.PathRule, as point) error {
	if r.Glob {
		err := b.addGlob(r, as)
		if r.Source.Tier == policy.TierDefault && as.AllowRead {
			return nil // what cannot be looked at is not shown
		}
		return err
	}
	at, err := b.host.Find(r.Path)
	switch {
	case err != nil && b.outOfReach(r, err):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %s: %w", r.Source, Quoted(r.Path), err)
	}
	allow := as.AllowWrite || as.AllowRead
	switch {
	case !allow:
		b.links = append(b.links, at.Links...)
	case at.Missing:
		return nil
	case len(at.Links) > 0 && r.Source.Tier != policy.TierDefault:
		b.allowed = append(b.allowed, linkedAllow{r, at, as})
	}
	if at.Missing {
		b.miss(r, at, as)
		return nil
	}
	for _, own := range OwnTrees {
		if pathtree.Contains(own, at.Path) && as.AllowWrite {
			return fmt.Errorf("%s: cannot be made writable: the sandbox has a %s of its own", at.Path, own)
		}
	}
	if as.AllowRead && !as.AllowWrite && at.Path != "/dev" && pathtree.Contains("/dev", at.Path) && !ofOwnDev(at.Path) && r.Source.Tier != policy.TierDefault {
		return fmt.Errorf("%s: %s: the sandbox has a /dev of its own; filesystem.allowDevices shows devices of the host's in it", r.Source, Quoted(r.Path))
	}
	as.Path, as.Own.dir = at.Path, at.Dir
	b.points = append(b.points, as)
	return nil
}

// outOfReach reports whether a default may go without its mount, for srun has
// no right to look there, and the command has neither that nor the right to
// change it.
func (b *builder) outOfReach(r policy.PathRule, err error) bool {
	return r.Source.Tier == policy.TierDefault && errors.Is(err, fs.ErrPermission) && !b.writable(r.Path)
}

// writable reports whether a path lies below a writable one.
func (b *builder) writable(path string) bool { return b.roots.At(path).InWrite }

// miss remembers a denied path that is not there. What may not be read must not
// be made either, for there is nothing to mask it with; but a credential of
// the default list that the user makes meanwhile is not removed for that.
func (b *builder) miss(r policy.PathRule, p Place, as point) {
	if as.HideByDefault || p.Path == "" {
		return
	}
	if as.DenyRead && r.Reason == "" {
		r.Reason = "denied by filesystem.denyRead, and was not there when the run began"
	}
	b.missing = append(b.missing, MissingPath{
		Path: p.Path, Reason: r.Reason, Source: r.Source, Protected: as.DenyWrite && r.Reason != "",
	})
}

// checkMissing keeps the missing paths that lie where the command may write,
// and the directories that lead to them: who could move one aside would make the
// rest anew.
func (b *builder) checkMissing(nodes nodes) error {
	slices.SortStableFunc(b.missing, func(a, b MissingPath) int { return pathtree.Less(a.Path, b.Path) })
	parents := map[string]Place{}
	last := ""
	for _, m := range b.missing {
		if m.Path == last {
			continue
		}
		last = m.Path
		dir := filepath.Dir(m.Path)
		parent, known := parents[dir]
		if !known {
			var err error
			if parent, err = b.existing(dir); err != nil {
				return fmt.Errorf("%s: %s: %w", m.Source, Quoted(m.Path), err)
			}
			parents[dir] = parent
		}
		if n := nodes.At(parent.Path); n.Access() == pathtree.ReadWrite {
			m.Root = n.Path
			b.plan.Missing = append(b.plan.Missing, m)
			b.ways = append(b.ways, parent.Path)
		}
	}
	b.ways = slices.Compact(b.ways)
	return nil
}

// existing returns the last directory of a path that is there. A file in the
// place of one does not count: the command may remove it.
func (b *builder) existing(dir string) (Place, error) {
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if p, err := b.host.Find(dir); err != nil || p.Dir && !p.Missing {
			return p, err
		}
	}
	return Place{Path: "/", Dir: true}, nil
}

// checkAllowed refuses what a command could have brought about in an earlier
// run: an allowed path that leads, through a link that lies where commands may
// write, to where nothing else allows it.
func (b *builder) checkAllowed() error {
	if len(b.allowed) == 0 {
		return nil
	}
	direct := slices.DeleteFunc(slices.Clone(b.points), func(p point) bool {
		return slices.ContainsFunc(b.allowed, func(a linkedAllow) bool {
			return a.place.Path == p.Path && (a.as.AllowWrite && p.AllowWrite || a.as.AllowRead && p.AllowRead)
		})
	})
	nodes := resolve(direct)
	for _, a := range b.allowed {
		without := nodes.At(a.place.Path)
		if a.as.AllowWrite && without.InWrite || a.as.AllowRead && without.Access() != pathtree.Hidden {
			continue
		}
		for _, link := range a.place.Links {
			if nodes.At(filepath.Dir(link)).Access() == pathtree.ReadWrite {
				return fmt.Errorf("%s: %s: leads through the symbolic link %s, which the command may change; name %s instead",
					a.rule.Source, Quoted(a.rule.Path), Quoted(link), Quoted(a.place.Path))
			}
		}
	}
	return nil
}
