package plan

import (
	"slices"

	"srun/policy/pathtree"
)

// ownTemp is a temporary directory that every sandbox has, where /tmp is none.
const ownTemp = "/dev/tmp"

// OwnWritable are init's own mounts that stay writable.
var OwnWritable = []string{"/dev/pts", "/dev/shm", ownTemp}

// OwnTrees are replaced inside: nothing of the host's can be reached there.
var OwnTrees = []string{"/dev", "/proc"}

// BundlePath is where the command finds the certificates to trust when the
// proxy opens TLS connections: in init's own /dev, so that it goes with the
// sandbox.
const BundlePath = "/dev/srun-ca.pem"

// inOwnTree reports whether a path of the host's cannot be reached inside.
func inOwnTree(path string) bool {
	return slices.ContainsFunc(OwnTrees, func(own string) bool { return pathtree.Contains(own, path) })
}
