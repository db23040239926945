//go:build linux

package box

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

// Start makes the sandbox and starts the command in it. On error nothing runs
// and nothing is left.
func Start(c Config) (*Process, error) {
	if err := checkStdio(c.Stdio[:]); err != nil {
		return nil, err
	}
	in, err := newInit(c.Stdio[:], c.Plan.HostNetwork)
	if err != nil {
		return nil, err
	}
	p, err := start(in, &c)
	if err != nil {
		in.discard()
		p.keeper.end()
		p.reopened.giveBack()
		return nil, err
	}
	go p.watch()
	return p, nil
}

// checkStdio refuses a directory: through /proc/self/fd it would lead round the
// sandbox's mounts.
func checkStdio(stdio []*os.File) error {
	for i, f := range stdio {
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return fmt.Errorf("inspect descriptor %d: %w", i, err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			return &plan.Error{Protection: "write-deny", What: fmt.Sprintf("descriptor %d", i), Err: errors.New("it is a directory")}
		}
	}
	return nil
}

// start returns a Process also with an error, for its keeper and its reopened files.
func start(in *sandboxInit, c *Config) (*Process, error) {
	p := &Process{in: in, ended: c.Ended, done: make(chan struct{}),
		events: make(chan Event, 8), paused: make(chan struct{}, 1), held: make(chan bool, 1), sockets: make(chan socketReply, 1)}
	p.Events = p.events
	var err error
	if p.reopened, err = findReopened(c.Plan, c.Stdio[:]); err != nil {
		return p, err
	}
	plan, set, err := prepare(c, p.reopened)
	if err != nil {
		return p, err
	}
	defer closeFDs(plan, set)
	which, fds, err := in.ready()
	if err != nil {
		return p, err
	}
	if err := sendPlan(in.sock.fd, plan, set, c.Stdio); err != nil {
		closeFDs(fds...)
		return p, err
	}
	if p.Listeners, err = takeListeners(which, fds); err != nil {
		return p, err
	}
	if err = p.letGo(c); err == nil {
		p.Pid = in.pid
		p.command, err = p.started(c)
	}
	if err != nil {
		p.Listeners.Close()
	}
	return p, err
}

// letGo does what has to be done before the command runs and init does not wait
// for.
func (p *Process) letGo(c *Config) (err error) {
	if p.keeper, err = newKeeper(c.Plan, p.in); err != nil {
		return err
	}
	if c.Meanwhile != nil {
		if err := c.Meanwhile(); err != nil {
			return err
		}
	}
	if err := p.keeper.watches(); err != nil {
		return err
	}
	if c.Tracer == nil {
		p.tell(message{kind: ctlGo}) // an init that is gone said why before
	}
	return nil
}

// prepare does what needs nothing from init, while init still makes the
// namespaces: the plan in a memory file and the Landlock ruleset.
func prepare(c *Config, reopened reopenedFiles) (plan, set int, err error) {
	body, err := encodePlan(c, reopened)
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
func (p *Process) started(c *Config) (command int, err error) {
	for {
		m, fds, err := p.in.sock.receive()
		switch {
		case err == nil && m.kind == msgBroker && len(fds) == 1:
			if p.broker, err = c.Broker(fds[0], m.a != 0); err != nil {
				return 0, err
			}
			go p.broker.Serve()
			if err := p.stands(c); err != nil {
				return 0, err
			}
			continue
		case err == nil && m.kind == msgForward && len(fds) == 1:
			if err := p.Listeners.add(ListenForward, uint16(m.a), fds[0]); err != nil {
				return 0, err
			}
			continue
		case err == nil && m.kind == msgReopened && len(fds) == 1:
			p.reopened.take(int(m.a), fds[0])
			continue
		}
		if err != nil {
			return 0, err
		}
		return verdict(m)
	}
}

// stands is for the command's process waiting for its go: the mounts are made.
func (p *Process) stands(c *Config) error {
	p.keeper.look()
	if c.Tracer == nil {
		return nil
	}
	if err := c.Tracer.Attach(p.in.pid); err != nil {
		return err
	}
	p.tracer = c.Tracer
	p.tell(message{kind: ctlGo})
	return nil
}

func verdict(m message) (command int, err error) {
	switch m.kind {
	case msgStarted:
		return int(m.a), nil
	case msgFailed:
		return 0, failure(m)
	case msgExec:
		return 0, &plan.Error{What: m.text, Err: startError(unix.Errno(m.a))}
	}
	return 0, &plan.Error{Protection: "namespaces", What: "start the command", Err: errors.New("init ended")}
}

func startError(errno unix.Errno) error {
	if errno == unix.ENOENT || errno == unix.ENOTDIR {
		return ErrNotFound
	}
	return fmt.Errorf("%w: %w", ErrNotExecutable, errno)
}
