//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

import (
	"path/filepath"
	"slices"

	"srun/policy/pathtree"
)

// opHold keeps a symbolic link where it is: hold.c says how.
const opHold opKind = C.OP_HOLD

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
