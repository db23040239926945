//go:build linux

package box

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

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
	held     chan bool
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
		case m.kind == msgHeld:
			p.held <- m.a == 1
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

// Held reports that nothing has run since Pause: a stopped process can have arranged
// for a SIGCONT.
func (p *Process) Held() bool {
	if p.tell(message{kind: ctlHeld}) != nil {
		return false
	}
	select {
	case held := <-p.held:
		return held
	case <-p.done:
		return false
	}
}

// Resume ends a Pause.
func (p *Process) Resume() error { return p.tell(message{kind: ctlResume}) }

func (p *Process) tell(m message) error {
	return os.NewSyscallError("send", unix.Send(p.in.sock.fd, m.encode(), unix.MSG_NOSIGNAL))
}

// Kill ends every process of the sandbox at once.
func (p *Process) Kill() error { return p.in.kill() }
