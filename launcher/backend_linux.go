package launcher

import (
	"cmp"
	"errors"
	"net"
	"syscall"
	"time"

	"srun/linux"
	"srun/policy"
	"srun/proxy"
)

// startBackend plans and starts a run on Linux.
func (c *Cmd) startBackend() error {
	plan, err := linux.NewPlan(c.Policy, c.Dir, linux.ThisHost())
	if err != nil {
		return err
	}
	var owner func(net.Conn) (int, string)
	c.server, err = c.newServer(func(conn net.Conn) proxy.Process {
		pid, command := owner(conn)
		return proxy.Process{PID: pid, Command: command}
	})
	if err != nil {
		return err
	}
	p, err := linux.Start(linux.Config{
		Plan:        plan,
		Args:        c.Args,
		Env:         environment(c.Policy, c.Env, linux.TempDir, c.proxyPort()),
		Dir:         c.Dir,
		Stdio:       c.stdio.child,
		HostNetwork: c.Policy.Network.Mode == policy.ModeHost,
		Ended:       func() { c.server.Close() },
		Removed:     c.removed,
		Planted:     c.Planted,
		Forward:     forwardPorts(&c.Policy.Network),

		DeniedSocket: c.deniedSocket,
	})
	if err != nil {
		return translate(err)
	}
	c.process, owner = p, p.Owner
	if filtered(c.Policy) {
		c.serve(p.Listeners)
	} else {
		p.Listeners.Close()
	}
	go c.followStops(p)
	return nil
}

func (c *Cmd) proxyPort() int {
	if filtered(c.Policy) {
		return linux.ProxyPort
	}
	return 0
}

// serve accepts on what init bound inside. Connections made before this line
// wait in the kernel's queue.
func (c *Cmd) serve(l linux.Listeners) {
	run := func(what string, f func() error) {
		go func() {
			if err := f(); err != nil {
				c.warn("proxy: %s: %v", what, err)
			}
		}()
	}
	run("proxy port", func() error { return c.server.ServeProxy(l.Proxy) })
	for _, ln := range l.Transparent {
		run("redirected connections", func() error { return c.server.ServeTransparent(ln) })
	}
	for _, pc := range l.DNS {
		run("DNS", func() error { return c.server.ServeDNS(pc) })
	}
	for port, ln := range l.Forward {
		go forward(ln, port)
	}
	for _, ln := range l.DNSTCP {
		run("DNS over TCP", func() error { return c.server.ServeDNSTCP(ln) })
	}
}

func (c *Cmd) followStops(p *linux.Process) {
	for e := range p.Events {
		if e.Stopped != 0 && c.Stopped != nil && p.CommandStopped() {
			c.Stopped(e.Stopped)
			p.Signal(syscall.SIGCONT)
		}
	}
	p.Listeners.Close() // of forwarded ports; the proxy has closed its own
}

func translate(err error) error {
	var e *linux.Error
	if errors.As(err, &e) && e.Protection == "" {
		switch {
		case errors.Is(err, linux.ErrNotFound):
			return &startError{err: err, kind: ErrNotFound}
		case errors.Is(err, linux.ErrNotExecutable):
			return &startError{err: err, kind: ErrNotExecutable}
		}
	}
	return err
}

// startError keeps a backend's words and adds this package's sentinel.
type startError struct{ err, kind error }

func (e *startError) Error() string   { return e.err.Error() }
func (e *startError) Unwrap() []error { return []error{e.err, e.kind} }

func (c *Cmd) deniedSocket(d linux.SocketDenial) {
	c.denied(Denial{
		Time: time.Now(), Operation: "unix-socket", Target: d.Path, Reason: "not in allowUnixSockets",
		PID: d.PID, Command: d.Command, Allow: "--allow-unix-socket " + d.Path,
	})
}

// removed reports a denied path that the command made. How it did so is not
// known, only that it is gone.
func (c *Cmd) removed(m linux.MissingPath) {
	c.denied(Denial{
		Time: time.Now(), Operation: "write", Target: m.Path,
		Reason: cmp.Or(m.Reason, "denied by filesystem.denyWrite"), Source: m.Source,
	})
}
