package plan

import "srun/policy/pathtree"

// trustFile makes room for the bundle, while /dev can still be written.
func (b *builder) trustFile() []Op {
	if b.host.Trust == nil {
		return nil
	}
	return []Op{{Kind: OpMkfile, Path: BundlePath, A: 0o444}}
}

// trustFiles puts the bundle there, and each file in its place. The places may
// be links to each other.
func (b *builder) trustFiles(nodes nodes) []Op {
	if b.host.Trust == nil {
		return nil
	}
	ops := []Op{fileOp(BundlePath, b.host.Trust.PEM)}
	done := map[string]bool{}
	for _, f := range b.host.Trust.Over {
		path, ok := b.host.file(f.Path)
		if ok && nodes.At(path).Access() != pathtree.Hidden && !done[path] {
			done[path] = true
			ops = append(ops, fileOp(path, f.Content))
		}
	}
	return ops
}

func fileOp(path string, content []byte) Op {
	return Op{Kind: OpFile, Path: path, A: 0o444, Flag: 1, Data: string(content)}
}
