package proxy

import (
	"context"
	"net"
	"slices"
	"strings"

	"srun/policy"
)

// Inside is the sandbox's own loopback, which every name that it has reaches unless
// a rule is about that name: 127.0.0.0/8, ::1, the unspecified addresses, localhost
// and names below it, and the host's own.
type Inside struct {
	Name  string   // the host's own, "" for none
	Ports []uint16 // of srun's, which are no way round
	Dial  func(port uint16) (net.Conn, error)
}

// has tells whether a target is on it. A nil Inside has nothing.
func (in *Inside) has(to target) bool {
	switch {
	case in == nil || to.Port == 0 || slices.Contains(in.Ports, to.Port):
		return false
	case to.kind == theHost:
		return true
	}
	if a, ok := to.address(); ok {
		return a.IsLoopback() || a.IsUnspecified()
	}
	name := to.Host.String()
	return strings.HasSuffix(name, "."+policy.Localhost.String()) || in.Name != "" && strings.EqualFold(name, in.Name)
}

// dial connects to it, unless ctx ends before.
func (in *Inside) dial(ctx context.Context, port uint16) (net.Conn, error) {
	type dialled struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		conn, err := in.Dial(port)
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		return d.conn, d.err
	case <-ctx.Done():
		go func() {
			if d := <-done; d.conn != nil {
				d.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}
