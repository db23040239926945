package plan

import (
	"path/filepath"
	"slices"

	"srun/policy/pathtree"
)

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
