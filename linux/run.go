//go:build linux

package linux

import (
	"srun/linux/box"
	"srun/linux/broker"
	"srun/linux/trace"
)

// Config is one run of a planned sandbox.
type Config struct {
	box.Config // but for what Start adds: Broker and Tracer

	// DeniedSocket is told of connections to the host's Unix sockets that were
	// refused; nil is nobody.
	DeniedSocket func(SocketDenial)

	// Bound is told of each Internet port that the command binds; nil is nobody. It
	// returns at once.
	Bound func(port uint16)

	// Missed is told in the end of how many denials there was no room to tell; nil is
	// nobody.
	Missed func(int)

	// Onward decides on TCP connections that leave the sandbox; nil is nobody.
	Onward broker.Onward

	// Runs is a file of srun's own, made if there is none, by which runs of a user
	// at the same time know of each other's; "" is none.
	Runs string

	// Trace has file operations watched: DeniedFile is told of those that the
	// sandbox refused. Debuggers do not work inside then, and calls take longer.
	Trace      bool
	DeniedFile func(trace.Denial) // nil is nobody
}

// Start makes the sandbox and starts the command in it. On error nothing runs
// and nothing is left.
func Start(c Config) (*box.Process, error) {
	c.Broker = c.newBroker
	if c.Trace {
		c.Tracer = trace.New(c.Plan, c.DeniedFile)
	}
	return box.Start(c.Config)
}
