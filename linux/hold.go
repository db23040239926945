//go:build linux

package linux

import (
	"path/filepath"
	"slices"

	"srun/policy/pathtree"
)

// opHold keeps a symbolic link where it is. Nothing is mounted for it: the broker
// refuses to move, remove or replace one.
const opHold opKind = 1 << 16

// holdLinks keeps symbolic links from being replaced, removed or moved.
func (t *tree) holdLinks(ops []mountOp, links []string) []mountOp {
	links = slices.Clone(links)
	slices.Sort(links)
	for _, link := range slices.Compact(links) {
		if t.nodes.At(filepath.Dir(link)).Access() == pathtree.ReadWrite {
			ops = append(t.pin(ops, link), mountOp{Kind: opHold, Path: link})
		}
	}
	return ops
}
