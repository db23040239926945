package plan

import (
	"cmp"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

// sharedTemps are the host's directories for temporary files (hier(7)), in whose
// place the command has its own.
var sharedTemps = []string{"/tmp", "/var/tmp"}

// temps are those of them that are there, without links.
func (b *builder) temps() (dirs []string) {
	for _, dir := range sharedTemps {
		if at, err := b.host.Find(dir); err == nil && at.Dir && !at.Missing && !slices.Contains(dirs, at.Path) {
			dirs = append(dirs, at.Path)
		}
	}
	return dirs
}

// addHostTemps lets the command write the host's own, where that is asked for.
func (b *builder) addHostTemps(f *policy.Filesystem) {
	if f.Tmp != policy.TmpHost {
		return
	}
	for _, dir := range b.temps() {
		b.points = append(b.points, point{Path: dir, Effects: allowWrite, Own: facts{dir: true}})
	}
}

// addTemps gives the command temporary directories of its own. One that may be
// written by a rule is the host's, and one that may not is none.
func (b *builder) addTemps(p *policy.Policy) {
	for _, dir := range b.temps() {
		switch state := resolve(b.points).At(dir); {
		case state.NoWrite:
			continue
		case !state.InWrite:
			b.points = append(b.points, point{Path: dir, Effects: denyRead, Own: facts{dir: true, private: true}})
			b.plan.Private = append(b.plan.Private, dir)
		}
		b.plan.TempDir = cmp.Or(b.plan.TempDir, dir)
	}
	b.plan.TempDir = cmp.Or(b.plan.TempDir, ownTemp)
	for _, s := range p.Network.UnixSockets { // there by their names in what is the command's own
		at, err := b.host.Find(s.Path)
		if err == nil && !at.Missing && slices.ContainsFunc(b.plan.Private, func(own string) bool { return pathtree.Contains(own, at.Path) }) {
			b.points = append(b.points, point{Path: at.Path, Effects: allowRead, Own: facts{dir: at.Dir}})
		}
	}
}

// isPrivate tells whether a path is the command's own, and none of the host's that
// is shown in it.
func (p *Plan) isPrivate(path string) bool {
	for n := p.nodes.At(path); n != nil; n = n.Parent {
		switch {
		case n.Own.private:
			return true
		case n.Access() != pathtree.Hidden:
			return false
		}
	}
	return false
}

// Own tells whether a path is in a tree that the sandbox has of its own.
func (p *Plan) Own(path string) bool { return inOwnTree(path) || p.isPrivate(path) }

// shown are the paths of the host's that are there in what is the command's own.
func (p *Plan) shown() (shown []string) {
	for _, n := range p.nodes {
		if n.Access() != pathtree.Hidden && slices.ContainsFunc(p.Private, func(own string) bool { return pathtree.Contains(own, n.Path) }) {
			shown = append(shown, n.Path)
		}
	}
	return shown
}

// pinWay makes the directories mount points that lead, in what is the command's own,
// to a path of the host's: who could move one would have the path elsewhere.
func (t *tree) pinWay(ops []Op, n *node) []Op {
	for up := n.Parent; up != nil && up.Access() == pathtree.Hidden; up = up.Parent {
		if up.Own.private {
			return t.pin(ops, n.Path)
		}
	}
	return ops
}

// ownWritable are the mounts of the sandbox's own that may be written.
func (p *Plan) ownWritable() []string { return append(slices.Clone(OwnWritable), p.Private...) }
