package launcher

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"srun/linux"
	"srun/policy"
	"srun/proxy"
)

// startBackend plans and starts a run on Linux.
func (c *Cmd) startBackend() error {
	host := linux.ThisHost()
	host.WorkDir = c.WorkDir
	var err error
	if c.opening, err = openTLS(c.Policy); err != nil {
		return err
	}
	if c.opening != nil {
		host.Trust = trust(c.opening.bundle)
	}
	plan, err := linux.NewPlan(c.Policy, c.Dir, host)
	if err != nil {
		return err
	}
	ports, err := c.publish(linux.OwnPort)
	if err != nil {
		return err
	}
	var owner func(net.Conn) (int, string)
	p, err := linux.Start(linux.Config{
		Plan:        plan,
		Args:        c.Args,
		Env:         environment(c.Policy, c.Env, c.own()),
		Dir:         c.Dir,
		Stdio:       c.stdio.child,
		HostNetwork: c.Policy.Network.Mode == policy.ModeHost,
		Ended:       c.commandEnded,
		Meanwhile: func() error {
			return c.meanwhile(func(conn net.Conn) proxy.Process {
				pid, command := owner(conn)
				return proxy.Process{PID: pid, Command: command}
			})
		},
		Forward:  c.forward.start(&c.Policy.Network),
		Withheld: c.Withheld,

		DeniedSocket: c.deniedSocket,
		Trace:        c.Trace,
		Runs:         c.Policy.RunsFile,
		DeniedFile:   c.deniedFile,
	})
	if err != nil {
		ports.close()
		return translate(err)
	}
	c.process, owner = p, p.Owner
	c.untilEnded(p)
	c.publishPorts(ports, p)
	if filtered(c.Policy) {
		c.serve(p.Listeners)
	} else {
		p.Listeners.Close()
	}
	go c.followStops(p)
	return nil
}

// publishPorts lets the host's side reach the sandbox's localhost.
func (c *Cmd) publishPorts(ports published, p *linux.Process) {
	context.AfterFunc(c.ended, ports.close)
	c.servePublished(ports, p.Dial)
	if n := c.Policy.Network; n.AllowLocalBinding && n.Mode != policy.ModeHost {
		go (&localBinding{c: c, ports: p.Listening, dial: p.Dial}).follow()
	}
}

// trust has the command trust the bundle, in every place that is looked at.
func trust(bundle []byte) *linux.Trust {
	t := &linux.Trust{PEM: bundle}
	for _, path := range systemBundles {
		t.Over = append(t.Over, linux.TrustFile{Path: path, Content: bundle})
	}
	for _, path := range javaStores {
		if _, err := os.Stat(path); err == nil {
			t.Over = append(t.Over, linux.TrustFile{Path: path, Content: javaStore(bundle)})
		}
	}
	return t
}

// meanwhile is what a command's start needs and the sandbox does not.
func (c *Cmd) meanwhile(peer func(net.Conn) proxy.Process) (err error) {
	if c.server, err = c.newServer(peer); err != nil {
		return err
	}
	if c.Starting != nil {
		return c.Starting()
	}
	return nil
}

// commandEnded is for the moment at which the command has ended, and others of
// the sandbox may not have.
func (c *Cmd) commandEnded() {
	c.server.StopAsking()
	c.end()
}

// untilEnded has the network end with the command: at once where it was never
// used, while the kernel ends the rest.
func (c *Cmd) untilEnded(p *linux.Process) {
	c.endNetwork = func() { c.drain(p) }
	context.AfterFunc(c.ended, func() {
		if !p.Listeners.Called() {
			p.Listeners.Close()
		}
	})
}

// drain lets what the command sent last go out. No process of the sandbox is
// left.
func (c *Cmd) drain(p *linux.Process) {
	n := &c.Policy.Network
	if len(n.Publish) > 0 || n.AllowLocalBinding || p.Listeners.Called() {
		c.server.Drain(p.Listeners.Waiting)
	}
	c.server.Close()
	p.Listeners.Close()
}

// own is what the sandbox has of its own.
func (c *Cmd) own() own {
	o := own{tempDir: linux.TempDir}
	if filtered(c.Policy) {
		o.proxyPort = linux.ProxyPort
	}
	if c.opening != nil {
		o.bundle = linux.BundlePath
	}
	return o
}

// serve accepts on what init bound inside. Connections made before this line
// wait in the kernel's queue.
func (c *Cmd) serve(l *linux.Listeners) {
	go func() {
		err := l.Serve(func(ln linux.Listener) { go c.serveOne(ln) })
		if err != nil {
			c.warn("proxy: %v", err)
		}
	}()
}

func (c *Cmd) serveOne(ln linux.Listener) {
	var err error
	switch ln.Kind {
	case linux.ListenProxy:
		err = c.server.ServeProxy(ln.Stream)
	case linux.ListenTransparent:
		err = c.server.ServeTransparent(ln.Stream)
	case linux.ListenDNS:
		err = c.server.ServeDNS(ln.Packet)
	case linux.ListenDNSTCP:
		err = c.server.ServeDNSTCP(ln.Stream)
	case linux.ListenForward:
		rule, source := forwarder(&c.Policy.Network, ln.Port)
		err = c.server.ServeForward(ln.Stream, ln.Port, rule, source)
	}
	if err != nil {
		c.warn("proxy: %v", err)
	}
}

func (c *Cmd) followStops(p *linux.Process) {
	for e := range p.Events {
		if e.Stopped != 0 && c.Stopped != nil && p.CommandStopped() {
			c.Stopped(e.Stopped)
			p.Signal(syscall.SIGCONT)
		}
	}
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
