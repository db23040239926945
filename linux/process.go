//go:build linux

package linux

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Config is one run of a planned sandbox.
type Config struct {
	Plan  *Plan
	Args  []string // Args[0] is looked up in PATH of Env, inside the sandbox
	Env   []string
	Dir   string      // absolute
	Stdio [3]*os.File // standard input, output and error; none may be nil

	Forward []uint16 // ports of the sandbox's 127.0.0.1 to accept on

	HostNetwork bool // no network namespace and no listeners

	// Ended is called as soon as the command has ended, while the kernel still
	// ends the rest of the sandbox; nil is nobody.
	Ended func()

	// Removed is told of denied paths that appeared and srun removed.
	Removed func(MissingPath)

	// DeniedSocket is told of connections to the host's Unix sockets that were
	// refused; nil is nobody.
	DeniedSocket func(SocketDenial)

	// Planted picks what must go of a project's .srun that appeared; nil is
	// all of it. final tells that no process of the sandbox is left.
	Planted func(path string, final bool) []string
}

// Listeners are bound inside the sandbox and accepted on outside. Those of an
// address family that the kernel lacks are nil.
type Listeners struct {
	Proxy       net.Listener
	Transparent []net.Listener
	DNS         []net.PacketConn
	DNSTCP      []net.Listener
	Forward     map[uint16]net.Listener // by port of the sandbox's 127.0.0.1
}

// Event is a change of the command that is not its end.
type Event struct {
	Stopped syscall.Signal // 0: continued
}

// Process is a running command.
type Process struct {
	Pid       int // of init, in srun's PID namespace
	Listeners Listeners
	Events    <-chan Event // closed when the command ends

	in      *sandboxInit
	ended   func()
	guard   *guard
	command int // process id inside
	events  chan Event
	done    chan struct{}
	status  syscall.WaitStatus
	err     error
}

// ErrNotFound and ErrNotExecutable tell why a command did not start; both come
// wrapped in an [*Error].
var (
	ErrNotFound      = errors.New("command not found")
	ErrNotExecutable = errors.New("command cannot be executed")
)

// Start makes the sandbox and starts the command in it. On error nothing runs
// and nothing is left.
func Start(c Config) (*Process, error) {
	in, err := newInit(c.Stdio[:], c.HostNetwork)
	if err != nil {
		return nil, err
	}
	g, err := newGuard(&c)
	if err == nil {
		var p *Process
		if p, err = start(in, c); err == nil {
			p.guard, p.ended = g, c.Ended
			go p.watch()
			return p, nil
		}
	}
	in.discard()
	g.stop()
	return nil, err
}

func start(in *sandboxInit, c Config) (*Process, error) {
	plan, set, err := prepare(c)
	if err != nil {
		return nil, err
	}
	defer closeFDs(plan, set)
	which, fds, err := in.ready()
	if err != nil {
		return nil, err
	}
	if err := sendPlan(in.sock, plan, set, c.Stdio); err != nil {
		closeFDs(fds...)
		return nil, err
	}
	listeners, diag, err := takeListeners(which, fds)
	if err != nil {
		return nil, err
	}
	command, err := started(in.sock, diag, &c, &listeners)
	if err != nil {
		listeners.Close()
		return nil, err
	}
	p := &Process{Pid: in.pid, Listeners: listeners, command: command, in: in, events: make(chan Event, 8), done: make(chan struct{})}
	p.Events = p.events
	return p, nil
}

// prepare does what needs nothing from init, while init still makes the
// namespaces: the plan in a memory file and the Landlock ruleset.
func prepare(c Config) (plan, set int, err error) {
	body, err := encodePlan(c)
	if err != nil {
		return -1, -1, err
	}
	if plan, err = memoryFile(body); err != nil {
		return -1, -1, err
	}
	set = -1
	if c.Plan.LandlockABI > 0 {
		if set, err = ruleset(c.Plan, c.Stdio[:]); err != nil {
			closeFDs(plan, set)
			return -1, -1, err
		}
	}
	return plan, set, nil
}

func encodePlan(c Config) ([]byte, error) {
	b := make([]byte, 0, 16<<10)
	for _, op := range c.Plan.Mounts {
		data := op.Path
		if op.Kind == opFile {
			data += "\x00" + op.Data
		}
		b = appendOp(b, op.Kind, op.Slot, op.A, op.Flag, data)
	}
	for _, r := range c.Plan.Landlock {
		if r.Inside {
			b = appendOp(b, opLandlock, 0, uint64(r.Rights&handledRights(c.Plan.LandlockABI)), 0, r.Path)
		}
	}
	if c.Plan.Seccomp {
		programs, err := theFilters()()
		if err != nil {
			return nil, &Error{Protection: "seccomp", What: "build the system call filter", Err: err}
		}
		for i, prog := range programs {
			notifies := uint32(0)
			if i == 0 {
				notifies = 1
			}
			b = appendOp(b, opSeccomp, 0, 0, notifies, string(prog))
		}
	}
	for _, port := range c.Forward {
		b = appendOp(b, opListen, 0, uint64(port), 0, "")
	}
	b = appendOp(b, opChdir, 0, 0, 0, c.Dir)
	for _, kv := range c.Env {
		b = appendOp(b, opEnv, 0, 0, 0, kv)
	}
	for _, arg := range c.Args {
		b = appendOp(b, opArg, 0, 0, 0, arg)
	}
	b = appendOp(b, opSearch, 0, 0, 0, searchPath(c.Env))
	return appendOp(b, opEnd, 0, 0, 0, ""), nil
}

// searchPath is PATH of the command's own environment, or what execvp(3) uses
// without one.
func searchPath(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if p, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return p
		}
	}
	return "/bin:/usr/bin"
}

func memoryFile(body []byte) (int, error) {
	fd, err := unix.MemfdCreate("plan", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("write", err)
		}
		body = body[n:]
	}
	return fd, nil
}

func sendPlan(sock, plan, set int, stdio [3]*os.File) error {
	fds := []int{plan}
	for _, f := range stdio {
		fds = append(fds, int(f.Fd()))
	}
	if set >= 0 {
		fds = append(fds, set)
	}
	err := unix.Sendmsg(sock, message{kind: ctlPlan}.encode(), unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
	return os.NewSyscallError("send the plan", err)
}

// started waits for the verdict on the command's start. On the way it takes the
// listeners of forwarded ports, and starts the broker when the command's
// process has loaded its filters.
func started(sock, diag int, c *Config, l *Listeners) (command int, err error) {
	for {
		m, fds, err := receive(sock)
		switch {
		case err == nil && m.kind == msgBroker && len(fds) == 1:
			go newBroker(fds[0], diag, c).serve()
			diag = -1
			continue
		case err == nil && m.kind == msgForward && len(fds) == 1:
			if err = l.takeForward(uint16(m.a), fds[0]); err == nil {
				continue
			}
		}
		closeFDs(diag)
		if err != nil {
			return 0, err
		}
		return verdict(m)
	}
}

func verdict(m message) (command int, err error) {
	switch m.kind {
	case msgStarted:
		return int(m.a), nil
	case msgFailed:
		return 0, failure(m)
	case msgExec:
		return 0, &Error{What: m.text, Err: startError(unix.Errno(m.a))}
	}
	return 0, &Error{Protection: "namespaces", What: "start the command", Err: errors.New("init ended")}
}

func startError(errno unix.Errno) error {
	if errno == unix.ENOENT || errno == unix.ENOTDIR {
		return ErrNotFound
	}
	return fmt.Errorf("%w: %w", ErrNotExecutable, errno)
}

// watch reads init's messages until the command ends.
func (p *Process) watch() {
	defer close(p.done)
	defer close(p.events)
	for {
		m, _, err := receive(p.in.sock)
		switch {
		case err != nil || m.kind == 0:
			p.status, p.err = p.initStatus()
			return
		case m.kind == msgStopped:
			p.events <- Event{Stopped: syscall.Signal(m.a)}
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
	unix.Close(p.in.sock)
	return p.status, errors.Join(p.err, p.guard.stop())
}

// Signal sends the command a signal.
func (p *Process) Signal(sig syscall.Signal) error {
	m := message{kind: ctlSignal, a: int32(sig)}
	return os.NewSyscallError("signal", unix.Send(p.in.sock, m.encode(), unix.MSG_NOSIGNAL))
}

// Kill ends every process of the sandbox at once.
func (p *Process) Kill() error { return p.in.kill() }
