//go:build linux

package linux

import "slices"

// BundlePath is where the command finds the certificates to trust when the
// proxy opens TLS connections: in init's own /dev, so that it goes with the
// sandbox.
const BundlePath = "/dev/srun-ca.pem"

// Trust is a bundle of certificates for the command.
type Trust struct {
	PEM  []byte
	Over []string // the host's bundles that it takes the place of, where they exist
}

// trustFile makes room for the bundle, while /dev can still be written.
func (b *builder) trustFile() []mountOp {
	if b.host.Trust == nil {
		return nil
	}
	return []mountOp{{Kind: opMkfile, Path: BundlePath, A: 0o444}}
}

// trustFiles puts the bundle there, and over the host's own for programs that
// heed no variable.
func (b *builder) trustFiles(nodes []*node) []mountOp {
	if b.host.Trust == nil {
		return nil
	}
	paths := []string{BundlePath}
	for _, over := range b.host.Trust.Over {
		path, dir, err := b.host.Resolve(over)
		if err == nil && !dir && at(nodes, path).access != hidden && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	var ops []mountOp
	for _, path := range paths {
		ops = append(ops, mountOp{Kind: opFile, Path: path, A: 0o444, Flag: 1, Data: string(b.host.Trust.PEM)})
	}
	return ops
}
