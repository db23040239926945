//go:build linux

package box

import (
	"os"

	"srun/linux/plan"
)

// Config is one run of a planned sandbox.
type Config struct {
	Plan  *plan.Plan
	Args  []string // Args[0] is looked up in PATH of Env, inside the sandbox
	Env   []string
	Stdio [3]*os.File // standard input, output and error; none may be nil

	Forward []uint16 // ports of the sandbox's 127.0.0.1 to accept on

	// Withheld are descriptors of this process that the command does not get,
	// though they are pipes.
	Withheld []int

	// Meanwhile is called while init applies the plan. The command starts once it
	// returned nil, and never after an error. nil does nothing.
	Meanwhile func() error

	// Ended is called as soon as the command has ended, while the kernel still
	// ends the rest of the sandbox; nil is nobody.
	Ended func()

	// Broker is called once the command's process has loaded its filters, with the
	// descriptor of the one that stops calls, and returns what deals with those.
	Broker func(notify int, killable bool) (Broker, error)

	Tracer Tracer // of the command; nil is none
}

// Broker deals with the calls that the command's filter stops.
type Broker interface {
	Serve()
	Wait() // until nobody can make one any more

	// Refused are the ports of the sandbox's localhost at which nobody was found.
	Refused() []uint16
}

// Tracer watches the command.
type Tracer interface {
	// Attach is called with the process id of init while the command's process waits
	// to execve.
	Attach(init int) error

	Holds(pid int) bool // what /proc calls traced is stopped by a signal
	Wait()              // until everything that was traced is gone
}
