//go:build linux

package box

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

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
}

// Tracer watches the command.
type Tracer interface {
	// Attach is called with the process id of init while the command's process waits
	// to execve.
	Attach(init int) error

	Holds(pid int) bool // what /proc calls traced is stopped by a signal
	Wait()              // until everything that was traced is gone
}

// Event is a change of the command that is not its end.
type Event struct {
	Stopped syscall.Signal // 0: continued
}

// Process is a running command.
type Process struct {
	Pid       int // of init, in srun's PID namespace
	Listeners *Listeners
	Events    <-chan Event // closed when the command ends

	in       *sandboxInit
	ended    func()
	keeper   *keeper // nil when nothing is masked
	tracer   Tracer  // nil when nobody traces
	command  int     // process id inside
	events   chan Event
	paused   chan struct{}
	asking   sync.Mutex       // for a socket
	sockets  chan socketReply // room for the one that was asked for
	done     chan struct{}
	status   syscall.WaitStatus
	err      error
	reopened reopenedFiles
	broker   Broker
}

// ErrNotFound and ErrNotExecutable tell why a command did not start; both come
// wrapped in an [*Error].
var (
	ErrNotFound      = errors.New("command not found")
	ErrNotExecutable = errors.New("command cannot be executed")
)

// watch reads init's messages until the command ends.
func (p *Process) watch() {
	defer close(p.done)
	defer close(p.events)
	for {
		m, fds, err := p.in.sock.receive()
		switch {
		case err != nil || m.kind == 0:
			p.status, p.err = p.initStatus()
			return
		case m.kind == msgStopped:
			p.events <- Event{Stopped: syscall.Signal(m.a)}
		case m.kind == msgPaused:
			p.paused <- struct{}{}
		case m.kind == msgSocket:
			p.sockets <- socketReply{fds, m.a}
		case m.kind == msgContinued:
			p.events <- Event{}
		case m.kind == msgExited:
			p.status = syscall.WaitStatus(m.a)
			if p.ended != nil {
				p.ended()
			}
			_, p.err = p.in.wait()
			return
		}
	}
}

// initStatus is for an init that ended without a word: somebody killed it.
func (p *Process) initStatus() (syscall.WaitStatus, error) {
	status, err := p.in.wait()
	if err != nil {
		return 0, fmt.Errorf("wait for init: %w", err)
	}
	if status.Signaled() {
		return status, nil
	}
	return 0, fmt.Errorf("init ended with status %d", status.ExitStatus())
}

// Wait returns the command's wait status once every process of the sandbox is
// gone. Events must be drained meanwhile, and the listeners are the caller's to
// close.
func (p *Process) Wait() (syscall.WaitStatus, error) {
	<-p.done
	if p.tracer != nil {
		p.tracer.Wait()
	}
	if p.broker != nil {
		p.broker.Wait()
	}
	p.in.sock.close()
	p.reopened.giveBack()
	return p.status, errors.Join(p.err, p.keeper.wait())
}

// Signal sends the command a signal.
func (p *Process) Signal(sig syscall.Signal) error {
	return p.tell(message{kind: ctlSignal, a: int32(sig)})
}

// Pause stops every process of the sandbox until Resume. It returns once they
// have been told, or the command has ended. One caller at a time.
func (p *Process) Pause() error {
	if err := p.tell(message{kind: ctlPause}); err != nil {
		return err
	}
	select {
	case <-p.paused:
	case <-p.done:
	}
	return nil
}

// Resume ends a Pause.
func (p *Process) Resume() error { return p.tell(message{kind: ctlResume}) }

func (p *Process) tell(m message) error {
	return os.NewSyscallError("send", unix.Send(p.in.sock.fd, m.encode(), unix.MSG_NOSIGNAL))
}

// Kill ends every process of the sandbox at once.
func (p *Process) Kill() error { return p.in.kill() }
