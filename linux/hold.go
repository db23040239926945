//go:build linux

package linux

import (
	"path/filepath"
	"slices"

	"srun/policy/pathtree"
)

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
