//go:build linux

package linux

import (
	"cmp"
	"path/filepath"
	"slices"

	"srun/policy"
)

// access is what the command may do below a path, until a longer path says
// otherwise.
type access int

const (
	hidden access = iota // neither read nor written
	readOnly
	readWrite
)

// point is a path that some rule names. Paths are absolute, clean, exist, and
// contain no symbolic link.
type point struct {
	path                  string
	dir                   bool
	allowWrite, denyWrite bool
	allowRead, denyRead   bool
	id                    fileID // that it must have when it is mounted, or zero
	hideByDefault         bool   // a default's denyRead: an allowRead of this very path wins
	standIn               string // what it then reads as (policy.PathRule)
}

// node is a point with what holds there.
type node struct {
	point
	access   access
	inWrite  bool // below an allowWrite
	noWrite  bool // below a denyWrite: no allow takes that back
	noRead   bool
	reopened bool // hidden, with something visible below
	parent   *node
}

// mountOp is one of the plan's operations on mounts, in the order they apply.
type mountOp struct {
	Kind opKind
	Path string
	Slot uint32
	A    uint64 // mode, for opHide, opMkdir and opMkfile
	Flag uint32
	Data string // content, for opFile
	id   fileID // for opClone

	standIn bool // an opFile for a credential
}

// fileID tells a file from another that was given its name.
type fileID struct {
	ino uint64
	dev uint32 // as in the kernel: major<<20 | minor
}

// treeOps turns points into mounts: the narrowest rule wins for reads and a
// tie denies; a denied write stays denied below; everything that no rule names
// is readable and not writable. Symbolic links on the way to a denied path are
// held where they lie in a writable directory, and so are the directories on
// the way to what is missing, of which ways has the last. Its cost is linear in
// the points, links and ways but for the sort.
func treeOps(nodes []*node, links, ways []string) []mountOp {
	t := tree{nodes: nodes, mounts: map[string]bool{"/": true}, made: map[string]bool{}}
	ops := t.holdLinks(t.ops(), links)
	for _, dir := range ways {
		ops = t.pin(ops, dir+"/.")
	}
	return t.closeCovers(ops)
}

// resolve sorts the points, joins those of one path, and gives each what it
// inherits. The root is always there.
func resolve(points []point) []*node {
	sorted := append([]point{{path: "/", dir: true}}, points...)
	slices.SortStableFunc(sorted, func(a, b point) int { return less(a.path, b.path) })
	var nodes []*node
	for _, p := range sorted {
		if n := len(nodes); n > 0 && nodes[n-1].path == p.path {
			nodes[n-1].join(p)
			continue
		}
		nodes = append(nodes, &node{point: p})
	}
	var last *node
	for _, n := range nodes {
		for last != nil && !contains(last.path, n.path) {
			last = last.parent
		}
		n.inherit(last)
		last = n
	}
	return nodes
}

func (n *node) join(p point) {
	if p.id != (fileID{}) {
		n.id = p.id
	}
	n.allowWrite = n.allowWrite || p.allowWrite
	n.denyWrite = n.denyWrite || p.denyWrite
	n.allowRead = n.allowRead || p.allowRead
	n.denyRead = n.denyRead || p.denyRead
	n.hideByDefault = n.hideByDefault || p.hideByDefault
	n.standIn = cmp.Or(n.standIn, p.standIn)
}

func (n *node) inherit(parent *node) {
	n.parent = parent
	n.inWrite, n.noWrite = n.allowWrite, n.denyWrite
	n.noRead = n.denyRead || n.hideByDefault && !n.allowRead
	if parent != nil {
		n.inWrite = n.inWrite || parent.inWrite
		n.noWrite = n.noWrite || parent.noWrite
		n.noRead = n.noRead || parent.noRead && !n.allowRead
	}
	switch {
	case n.noRead:
		n.access = hidden
	case n.inWrite && !n.noWrite:
		n.access = readWrite
	default:
		n.access = readOnly
	}
	for p := parent; n.access != hidden && p != nil && p.access == hidden; p = p.parent {
		p.reopened = true
	}
}

// at returns the node that governs a path.
func at(nodes []*node, path string) *node {
	i, found := slices.BinarySearchFunc(nodes, path, func(n *node, path string) int { return less(n.path, path) })
	if !found {
		i--
	}
	n := nodes[max(i, 0)]
	for n.parent != nil && !contains(n.path, path) {
		n = n.parent
	}
	return n
}

// above is the access that holds at the node unless an operation changes it.
func (n *node) above() access {
	if n.parent == nil {
		return readWrite // as the host left it
	}
	return n.parent.access
}

type tree struct {
	nodes  []*node
	mounts map[string]bool // where an operation put a mount
	made   map[string]bool // directories made in covers
	slots  uint32
}

// ops yields: copies of what stays writable, the seal over everything, copies
// of what is read again under a cover, then each path from the root down.
func (t *tree) ops() []mountOp {
	var ops []mountOp
	slot := map[*node]uint32{}
	clone := func(n *node) {
		slot[n] = t.slots
		ops = append(ops, mountOp{Kind: opClone, Path: n.path, Slot: t.slots, id: n.id})
		t.slots++
	}
	for _, n := range t.nodes {
		if n.parent != nil && n.access == readWrite && n.above() != readWrite {
			clone(n)
		}
	}
	if t.nodes[0].access == readWrite {
		ops = append(ops, mountOp{Kind: opReadonly, Path: "/proc"}, mountOp{Kind: opReadonly, Path: "/dev"})
	} else {
		ops = append(ops, mountOp{Kind: opReadonly, Path: "/"})
	}
	for _, own := range ownWritable {
		ops = append(ops, mountOp{Kind: opWritable, Path: own})
	}
	for _, n := range t.nodes {
		if n.parent != nil && n.access == readOnly && n.above() == hidden {
			clone(n)
		}
	}
	for _, n := range t.nodes {
		ops = t.apply(ops, n, slot)
	}
	return ops
}

func (t *tree) apply(ops []mountOp, n *node, slot map[*node]uint32) []mountOp {
	if n.parent == nil || n.access == n.above() {
		return ops
	}
	if n.above() == readWrite {
		ops = t.pin(ops, n.path)
	}
	s, cloned := slot[n]
	switch {
	case n.access == hidden:
		ops = append(ops, hideOp(n))
	case cloned:
		if n.above() == hidden {
			ops = t.makeWay(ops, n)
		}
		ops = append(ops, mountOp{Kind: opAttach, Path: n.path, Slot: s})
	default:
		op := mountOp{Kind: opSeal, Path: n.path}
		if !n.dir {
			op.Flag = 1
		}
		ops = append(ops, op)
	}
	t.mounts[n.path] = true
	return ops
}

func hideOp(n *node) mountOp {
	op := mountOp{Kind: opHide, Path: n.path}
	if !n.dir {
		op.Flag = 1
	}
	switch stand := n.standIn; {
	case n.reopened:
		op.A, op.Slot = 0o711, 1
	case n.denyRead || stand == "" || (stand == policy.EmptyDir) != n.dir:
	case n.dir:
		op.A = 0o555
	default:
		op.Kind, op.A, op.Data, op.standIn = opFile, 0o444, stand, true
	}
	return op
}

// pin makes every directory between a path and the mount it lies on a mount
// point of its own: rename(2) of a mount point is EBUSY, so the path cannot be
// moved aside together with an ancestor.
func (t *tree) pin(ops []mountOp, path string) []mountOp {
	var chain []string
	for dir := filepath.Dir(path); !t.mounts[dir]; dir = filepath.Dir(dir) {
		chain = append(chain, dir)
		t.mounts[dir] = true
	}
	for _, dir := range slices.Backward(chain) {
		ops = append(ops, mountOp{Kind: opPin, Path: dir})
	}
	return ops
}

// makeWay creates, in the cover over a hidden directory, the place that a
// visible path below it is attached to.
func (t *tree) makeWay(ops []mountOp, n *node) []mountOp {
	cover := n.parent
	for cover.parent != nil && cover.parent.access == hidden {
		cover = cover.parent
	}
	var missing []string
	for dir := filepath.Dir(n.path); dir != cover.path && !t.made[dir]; dir = filepath.Dir(dir) {
		missing = append(missing, dir)
		t.made[dir] = true
	}
	for _, dir := range slices.Backward(missing) {
		ops = append(ops, mountOp{Kind: opMkdir, Path: dir, A: 0o711})
	}
	if n.dir {
		return append(ops, mountOp{Kind: opMkdir, Path: n.path, A: 0o711})
	}
	return append(ops, mountOp{Kind: opMkfile, Path: n.path})
}

// closeCovers makes the covers read-only that had to stay open for makeWay.
func (t *tree) closeCovers(ops []mountOp) []mountOp {
	for _, n := range t.nodes {
		if n.reopened && n.above() != hidden {
			ops = append(ops, mountOp{Kind: opReadonly, Path: n.path, Flag: 1})
		}
	}
	return ops
}

// String says what the operation does to its path.
func (k opKind) String() string {
	return map[opKind]string{
		opClone: "copy", opReadonly: "make read-only", opWritable: "keep writable", opAttach: "attach the copy",
		opPin: "pin", opSeal: "bind read-only", opHide: "cover", opMkdir: "make a place", opMkfile: "make a place", opFile: "replace", opHold: "hold the link",
	}[k]
}
