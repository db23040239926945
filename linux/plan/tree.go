package plan

import (
	"cmp"
	"path/filepath"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

// facts are what a plan knows of a path that some rule names. Such a path exists and
// has no symbolic link.
type facts struct {
	dir     bool
	id      FileID // that it must have when it is mounted, or zero
	standIn string // what it reads as when it is hidden (policy.PathRule)
	private bool   // the command has a directory of its own in its place
	from    uint32 // the slot that this one comes from, 0 for memory
	layer   *layer // or a layer over it
}

type (
	point = pathtree.Point[facts]
	node  = pathtree.Node[facts]
	nodes = pathtree.Tree[facts]
)

// layer is one of the command's; alone, where nothing of the host's is to be seen
// in it.
type layer struct {
	Layer
	alone bool
}

// treeOps turns points into mounts: the narrowest rule wins for reads and a
// tie denies; a denied write stays denied below; everything that no rule names
// is readable and not writable. Symbolic links on the way to a denied path are
// pinned where they lie in a writable directory, and so are the directories on
// the way to what is missing, of which ways has the last. Its cost is linear in
// the points, links and ways but for the sort.
func treeOps(nodes nodes, links, ways []string) []Op {
	t := tree{nodes: nodes, mounts: map[string]bool{"/": true}, made: map[string]bool{}, open: map[*node]bool{}}
	for _, n := range nodes {
		for up := n.Parent; n.Own.private && up != nil && up.Access() == pathtree.Hidden && !up.Own.private; up = up.Parent {
			t.open[up] = true
		}
	}
	ops := t.pinLinks(t.ops(), links)
	for _, dir := range ways {
		ops = t.pin(ops, dir+"/.")
	}
	return t.closeMasks(ops)
}

// The rules' effects.
var (
	allowWrite    = pathtree.Effects{AllowWrite: true}
	denyWrite     = pathtree.Effects{DenyWrite: true}
	allowRead     = pathtree.Effects{AllowRead: true}
	denyRead      = pathtree.Effects{DenyRead: true}
	hideByDefault = pathtree.Effects{HideByDefault: true}
)

// resolve makes a tree of points.
func resolve(points []point) nodes {
	return pathtree.Resolve(points, facts{dir: true}, func(a, b facts) facts {
		if b.id != (FileID{}) {
			a.id = b.id
		}
		return facts{a.dir, a.id, cmp.Or(a.standIn, b.standIn), a.private || b.private, cmp.Or(a.from, b.from), cmp.Or(a.layer, b.layer)}
	})
}

// above is the access that holds at a node unless an operation changes it.
func above(n *node) pathtree.Access {
	if n.Parent == nil {
		return pathtree.ReadWrite // as the host left it
	}
	if n.Parent.Own.layer != nil && n.AllowWrite {
		return pathtree.ReadOnly // the host's own, in what is the command's
	}
	return n.Parent.Access()
}

type tree struct {
	nodes  nodes
	mounts map[string]bool // where an operation put a mount
	made   map[string]bool // directories made in masks
	open   map[*node]bool  // hidden, with a directory of the command's own below
	slots  uint32
}

// ops yields: copies of what stays writable, everything read-only, copies
// of what is read again under a mask, then each path from the root down.
func (t *tree) ops() []Op {
	var ops []Op
	slot := map[*node]uint32{}
	clone := func(n *node) {
		slot[n] = t.slots
		op := Op{Kind: OpClone, Path: n.Path, Slot: t.slots, ID: n.Own.id}
		switch l := n.Own.layer; {
		case l == nil:
		case l.alone:
			op.Path = l.Upper
		default:
			op.Kind, op.Upper, op.Work = OpLayer, l.Upper, l.Work
		}
		ops = append(ops, op)
		t.slots++
	}
	for _, n := range t.nodes {
		if n.Parent != nil && n.Access() == pathtree.ReadWrite && above(n) != pathtree.ReadWrite {
			clone(n)
		}
	}
	if t.nodes[0].Access() == pathtree.ReadWrite {
		ops = append(ops, Op{Kind: OpReadonly, Path: "/proc"}, Op{Kind: OpReadonly, Path: "/dev"})
	} else {
		ops = append(ops, Op{Kind: OpReadonly, Path: "/"})
	}
	for _, own := range OwnWritable {
		ops = append(ops, Op{Kind: OpWritable, Path: own})
	}
	for _, n := range t.nodes {
		if n.Parent != nil && n.Access() == pathtree.ReadOnly && above(n) == pathtree.Hidden {
			clone(n)
		}
	}
	for _, n := range t.nodes {
		ops = t.apply(ops, n, slot)
	}
	return ops
}

func (t *tree) apply(ops []Op, n *node, slot map[*node]uint32) []Op {
	if n.Parent == nil || n.Access() == above(n) && !n.Own.private {
		return ops
	}
	if above(n) == pathtree.ReadWrite || n.Parent.Own.layer != nil {
		ops = t.pin(ops, n.Path)
	}
	s, cloned := slot[n]
	switch {
	case n.Own.private:
		if above(n) == pathtree.Hidden {
			ops = t.makeWay(ops, n)
			t.made[n.Path] = true
		}
		if n.Own.from != 0 {
			ops = append(ops, Op{Kind: OpAttach, Path: n.Path, Slot: n.Own.from})
		} else {
			ops = append(ops, Op{Kind: OpTmp, Path: n.Path})
		}
	case n.Access() == pathtree.Hidden:
		ops = append(ops, t.maskOp(n))
	case cloned:
		if above(n) == pathtree.Hidden {
			ops = t.pinWay(t.makeWay(ops, n), n)
		}
		ops = append(ops, Op{Kind: OpAttach, Path: n.Path, Slot: s})
	default:
		op := Op{Kind: OpBindRO, Path: n.Path}
		if !n.Own.dir {
			op.Flag = 1
		}
		ops = append(ops, op)
	}
	t.mounts[n.Path] = true
	return ops
}

func (t *tree) maskOp(n *node) Op {
	op := Op{Kind: OpMask, Path: n.Path}
	if !n.Own.dir {
		op.Flag = 1
	}
	switch stand := n.Own.standIn; {
	case n.Reopened, t.open[n]:
		op.A, op.Slot = 0o711, 1
	case n.DenyRead || stand == "" || (stand == policy.EmptyDir) != n.Own.dir:
	case n.Own.dir:
		op.A = 0o555
	default:
		op.Kind, op.A, op.Data, op.StandIn = OpFile, 0o444, stand, true
	}
	return op
}

// pin makes every directory between a path and the mount it lies on a mount
// point of its own: rename(2) of a mount point is EBUSY, so the path cannot be
// moved aside together with an ancestor.
func (t *tree) pin(ops []Op, path string) []Op {
	var chain []string
	for dir := filepath.Dir(path); !t.mounts[dir]; dir = filepath.Dir(dir) {
		chain = append(chain, dir)
		t.mounts[dir] = true
	}
	for _, dir := range slices.Backward(chain) {
		ops = append(ops, Op{Kind: OpPin, Path: dir})
	}
	return ops
}

// pinLinks keeps symbolic links from being replaced, removed or moved.
func (t *tree) pinLinks(ops []Op, links []string) []Op {
	links = slices.Clone(links)
	slices.Sort(links)
	for _, link := range slices.Compact(links) {
		if t.nodes.At(filepath.Dir(link)).Access() == pathtree.ReadWrite {
			ops = append(t.pin(ops, link), Op{Kind: OpPinLink, Path: link})
		}
	}
	return ops
}

// makeWay creates, in the mask over a hidden directory, the place that a
// visible path below it is attached to.
func (t *tree) makeWay(ops []Op, n *node) []Op {
	mask := n.Parent
	for mask.Parent != nil && mask.Parent.Access() == pathtree.Hidden {
		mask = mask.Parent
	}
	var missing []string
	for dir := filepath.Dir(n.Path); dir != mask.Path && !t.made[dir]; dir = filepath.Dir(dir) {
		missing = append(missing, dir)
		t.made[dir] = true
	}
	for _, dir := range slices.Backward(missing) {
		ops = append(ops, Op{Kind: OpMkdir, Path: dir, A: 0o711})
	}
	if n.Own.dir {
		return append(ops, Op{Kind: OpMkdir, Path: n.Path, A: 0o711})
	}
	return append(ops, Op{Kind: OpMkfile, Path: n.Path})
}

// closeMasks makes the masks read-only that had to stay open for makeWay.
func (t *tree) closeMasks(ops []Op) []Op {
	for _, n := range t.nodes {
		if (n.Reopened || t.open[n]) && above(n) != pathtree.Hidden && !n.Own.private {
			ops = append(ops, Op{Kind: OpReadonly, Path: n.Path, Flag: 1})
		}
	}
	return ops
}
