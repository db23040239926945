package plan

import (
	"fmt"
	"path/filepath"
	"slices"

	"srun/policy"
	"srun/policy/pathtree"
)

func (b *builder) unixSockets(list []policy.PathRule) ([]UnixSocket, error) {
	var sockets []UnixSocket
	for _, s := range list {
		if s.Glob {
			return nil, fmt.Errorf("%s: %s: a pattern: name the sockets one by one", s.Source, Quoted(s.Path))
		}
		at, err := b.host.Find(s.Path)
		if err == nil && at.Dir && !at.Missing {
			return nil, fmt.Errorf("%s: %s: a directory: name the socket in it", s.Source, Quoted(s.Path))
		}
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
	return sockets, nil
}
