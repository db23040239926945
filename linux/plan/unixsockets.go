package plan

import (
	"path/filepath"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

func (b *builder) unixSockets(list []policy.PathRule) []UnixSocket {
	var sockets []UnixSocket
	for _, s := range list {
		at, err := b.host.Find(s.Path)
		if err != nil || at.Missing {
			continue // left out when the policy was loaded
		}
		socket := UnixSocket{Path: s.Path}
		if slices.ContainsFunc(append(at.Links, at.Path), func(step string) bool {
			return b.plan.State(filepath.Dir(step)).Access() == pathtree.ReadWrite
		}) {
			socket.Now = at.Path
		}
		sockets = append(sockets, socket)
	}
	return sockets
}
