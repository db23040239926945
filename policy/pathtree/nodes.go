package pathtree

import "slices"

// Point is a path that rules name, with what the caller knows of it.
type Point[T any] struct {
	Path string
	Effects
	Own T
}

// Node is a point in a tree of them.
type Node[T any] struct {
	Point[T]
	State
	Parent   *Node[T] // the nearest above; nil for the root
	Reopened bool     // hidden, with something below that is not
}

// Tree is points by path, each after those above it. The first is the root.
type Tree[T any] []*Node[T]

// Resolve makes a tree of points, in any order; join makes one of what the
// caller knows of two for the same path. The root is added with the caller's
// own root if none of them names it.
func Resolve[T any](points []Point[T], root T, join func(a, b T) T) Tree[T] {
	sorted := append([]Point[T]{{Path: "/", Own: root}}, points...)
	slices.SortStableFunc(sorted, func(a, b Point[T]) int { return Less(a.Path, b.Path) })
	var tree Tree[T]
	for _, p := range sorted {
		if n := len(tree); n > 0 && tree[n-1].Path == p.Path {
			tree[n-1].Effects.Add(p.Effects)
			tree[n-1].Own = join(tree[n-1].Own, p.Own)
			continue
		}
		tree = append(tree, &Node[T]{Point: p})
	}
	var last *Node[T]
	for _, n := range tree {
		for last != nil && !Contains(last.Path, n.Path) {
			last = last.Parent
		}
		n.below(last)
		last = n
	}
	return tree
}

func (n *Node[T]) below(parent *Node[T]) {
	n.Parent = parent
	var above State
	if parent != nil {
		above = parent.State
	}
	n.State = above.Enter(n.Effects)
	if n.Access() == Hidden {
		return
	}
	for p := parent; p != nil && p.Access() == Hidden; p = p.Parent {
		p.Reopened = true
	}
}

// At returns the node that governs a path.
func (t Tree[T]) At(path string) *Node[T] {
	i, found := slices.BinarySearchFunc(t, path, func(n *Node[T], path string) int { return Less(n.Path, path) })
	if !found {
		i--
	}
	n := t[max(i, 0)]
	for n.Parent != nil && !Contains(n.Path, path) {
		n = n.Parent
	}
	return n
}

// HiddenByDefault tells whether what hides the node is a default alone.
func (n *Node[T]) HiddenByDefault() bool {
	for ; n != nil && n.Access() == Hidden && !n.DenyRead; n = n.Parent {
		if n.HideByDefault {
			return true
		}
	}
	return false
}
