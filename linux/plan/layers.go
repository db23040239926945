package plan

import (
	"path/filepath"
	"slices"

	"srun/policy/pathtree"
)

// inLayers has the operations heed that a layer need not have what the host has: what
// is not there any more is not masked, and the way to what is attached is made anew.
func (b *builder) inLayers(nodes nodes, ops []Op) (out []Op) {
	made := map[string]bool{} // in masks
	ways := map[string][]Op{} // by layer
	for _, op := range ops {
		switch layer := b.layerOf(op.Path); {
		case op.Kind == OpMkdir || op.Kind == OpMkfile:
			made[op.Path] = true
		case op.Kind == OpAttach && layer != "" && !made[op.Path]:
			ways[layer] = append(ways[layer], wayInLayer(layer, op.Path, nodes.At(op.Path).Own.dir)...)
		}
	}
	for _, op := range ops {
		layer := b.layerOf(op.Path)
		switch {
		case layer == "" || op.Kind == OpClone || op.Kind == OpLayer:
		case op.Kind == OpMkdir || op.Kind == OpMkfile:
			op.IfThere, op.IfDir = filepath.Dir(op.Path), true
		case op.Kind != OpAttach:
			op.IfThere, op.IfDir = op.Path, op.Flag == 0 && op.Kind != OpFile
		case made[op.Path]:
			op.IfThere, op.IfDir = op.Path, nodes.At(op.Path).Own.dir
		}
		out = append(out, op)
		if op.Kind == OpAttach {
			out = append(out, ways[op.Path]...)
		}
	}
	return out
}

// layerOf returns the layer that a path is in, and not at.
func (b *builder) layerOf(path string) string {
	i := slices.IndexFunc(b.plan.Layers, func(layer string) bool { return layer != path && pathtree.Contains(layer, path) })
	if i < 0 {
		return ""
	}
	return b.plan.Layers[i]
}

// wayInLayer makes the directories that lead to a path, and what is attached to.
func wayInLayer(layer, path string, dir bool) (ops []Op) {
	for up := filepath.Dir(path); up != layer; up = filepath.Dir(up) {
		ops = append(ops, Op{Kind: OpMkdir, Path: up, A: 0o755, Flag: 1, IfThere: filepath.Dir(up), IfDir: true})
	}
	slices.Reverse(ops)
	place := Op{Kind: OpMkfile, Path: path, A: 0o644, Flag: 1, IfThere: filepath.Dir(path), IfDir: true}
	if dir {
		place.Kind, place.A = OpMkdir, 0o755
	}
	return append(ops, place)
}
