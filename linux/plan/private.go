package plan

import (
	"cmp"
	"fmt"
	"path/filepath"
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

// addOwn gives the command what it has of its own in the place of the host's.
func (b *builder) addOwn(p *policy.Policy) error {
	nodes := resolve(b.points)
	if err := b.addTemps(nodes); err != nil {
		return err
	}
	b.addLayers(p, nodes)
	for _, s := range p.Network.UnixSockets { // there by their names in what is hidden
		at, err := b.host.Find(cmp.Or(s.At, s.Path))
		if err == nil && !at.Missing && b.hidden(nodes, at.Path) {
			b.points = append(b.points, point{Path: at.Path, Effects: allowRead, Own: facts{dir: at.Dir}})
		}
	}
	return nil
}

// hidden tells whether a path of the host's is out of sight, by a rule or behind a
// directory of the command's own.
func (b *builder) hidden(nodes nodes, path string) bool {
	n := nodes.At(path)
	return n.Access() == pathtree.Hidden || slices.ContainsFunc(b.plan.Private, func(own string) bool {
		return pathtree.Contains(own, path) && (n.Path == own || !pathtree.Contains(own, n.Path))
	})
}

// addTemps gives the command temporary directories of its own. One that may be
// written by a rule is the host's, and one that may not is none.
func (b *builder) addTemps(nodes nodes) error {
	disk := b.host.TempDir
	if disk != "" && nodes.At(disk).InWrite {
		return fmt.Errorf("the directory for temporary files: %s: the command may write it by that name too; name one elsewhere", Quoted(filepath.Dir(disk)))
	}
	for i, dir := range b.temps() {
		switch state := nodes.At(dir); {
		case state.NoWrite:
			continue
		case !state.InWrite:
			own := facts{dir: true, private: true}
			if disk != "" {
				own.from = tempSlot + uint32(i)
			}
			b.points = append(b.points, point{Path: dir, Effects: denyRead, Own: own})
			b.plan.Private = append(b.plan.Private, dir)
		}
		b.plan.TempDir = cmp.Or(b.plan.TempDir, dir)
	}
	b.plan.TempDir = cmp.Or(b.plan.TempDir, ownTemp)
	return nil
}

// addHostCaches lets the command write the host's own caches, where that is asked for.
func (b *builder) addHostCaches(p *policy.Policy) {
	if p.Filesystem.Caches != policy.CachesShared {
		return
	}
	for _, l := range b.host.Layers {
		if at, ok := b.cacheAt(l.Path, p.Home); ok {
			b.points = append(b.points, point{Path: at.Path, Effects: allowWrite, Own: facts{dir: true}})
		}
	}
}

// cacheAt finds a cache of the host's. One behind a link is none, but for links on the
// way to the home: an earlier run may have put it there, to what a rule hides. Nor is
// one that has more than a cache in it: a variable may say "/".
func (b *builder) cacheAt(path, home string) (Place, bool) {
	at, err := b.host.Find(path)
	if err != nil || at.Missing || !at.Dir || at.Path == "/" || inOwnTree(at.Path) {
		return at, false
	}
	for _, other := range []string{home, b.host.Caches} {
		if to, err := b.host.Find(other); other != "" && (err != nil || pathtree.Contains(at.Path, to.Path)) {
			return at, false
		}
	}
	var own []string
	if home != "" && pathtree.Contains(home, path) {
		if to, err := b.host.Find(home); err == nil {
			own = to.Links
		}
	}
	return at, !slices.ContainsFunc(at.Links, func(link string) bool { return !slices.Contains(own, link) })
}

// addLayers puts layers over the host's caches, but for those that may be written or
// may not be. Of one that is hidden the command gets its own part alone.
func (b *builder) addLayers(p *policy.Policy, nodes nodes) {
	if p.Filesystem.Caches == policy.CachesShared {
		return
	}
	for _, l := range b.host.Layers {
		at, ok := b.cacheAt(l.Path, p.Home)
		if !ok {
			continue
		}
		n := nodes.At(at.Path)
		if n.InWrite || n.NoWrite || n.Path == at.Path && n.Access() == pathtree.Hidden {
			continue
		}
		own := facts{dir: true, layer: &layer{Layer: l, alone: b.hidden(nodes, at.Path)}}
		b.points = append(b.points, point{Path: at.Path, Effects: allowWrite, Own: own})
		b.plan.Layers = append(b.plan.Layers, at.Path)
	}
}

// bareCaches are the operations for caches that the host has not got: their place is
// made before /dev is closed, and filled when all is.
func (b *builder) bareCaches() (before, after []Op) {
	if b.host.Caches == "" {
		return nil, nil
	}
	return []Op{{Kind: OpMkdir, Path: CachesDir, A: 0o755}, {Kind: OpClone, Path: b.host.Caches, Slot: cachesSlot}},
		[]Op{{Kind: OpAttach, Path: CachesDir, Slot: cachesSlot}}
}

// standIns are the operations by which sockets are at other names: taken before
// anything hides them, and put there when all is.
func (b *builder) standIns(sockets []policy.PathRule) (before, after []Op, err error) {
	for _, s := range sockets {
		if s.At == "" {
			continue
		}
		from, err := b.host.Find(s.Path)
		if err != nil || from.Missing || len(before) == mostStandIns {
			return nil, nil, fmt.Errorf("%s: %s is not there", s.Source, Quoted(s.Path))
		}
		at, err := b.host.Find(s.At)
		if err != nil || at.Missing || at.Dir {
			return nil, nil, fmt.Errorf("%s: %s is not there", s.Source, Quoted(s.At))
		}
		slot := standInSlot + uint32(len(before))
		before = append(before, Op{Kind: OpClone, Path: from.Path, Slot: slot})
		after = append(after, Op{Kind: OpAttach, Path: at.Path, Slot: slot})
	}
	return before, after, nil
}

// mostStandIns is far more than there are agents.
const mostStandIns = 8

// Slots beyond those that paths need.
const (
	standInSlot = 4080 // and as many as there are stand-ins
	tempSlot    = 4090 // and as many as there are directories
	cachesSlot  = 4095
)

// diskTemps copies directories for temporary files that are on disk.
func (b *builder) diskTemps() (ops []Op) {
	for _, p := range b.points {
		if p.Own.from != 0 {
			ops = append(ops, Op{Kind: OpMkdir, Path: filepath.Join(b.host.TempDir, filepath.Base(filepath.Dir(p.Path))+"-"+filepath.Base(p.Path)), A: 0o700})
			ops = append(ops, Op{Kind: OpClone, Path: ops[len(ops)-1].Path, Slot: p.Own.from})
		}
	}
	return ops
}

// isPrivate tells whether a path is the command's own, and none of the host's that
// is shown in it.
func (p *Plan) isPrivate(path string) bool {
	for n := p.nodes.At(path); n != nil; n = n.Parent {
		switch {
		case n.Own.private, n.Own.layer != nil:
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
		in := func(own string) bool { return own != n.Path && pathtree.Contains(own, n.Path) }
		if n.Access() != pathtree.Hidden && n.Own.layer == nil && (slices.ContainsFunc(p.Private, in) || slices.ContainsFunc(p.Layers, in)) {
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
func (p *Plan) ownWritable() []string {
	return slices.Concat(OwnWritable, p.Private, p.Layers, p.caches)
}
