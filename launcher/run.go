package launcher

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"srun/policy"
	"srun/proxy"
)

// start plans a run and starts it.
func (c *Cmd) start() error {
	var err error
	if c.opening, err = openTLS(c.Policy); err != nil {
		return err
	}
	temp, err := openTempDir(c.Policy)
	if err != nil {
		return err
	}
	caches := openCaches(c.Policy, c.environ())
	defer func() {
		if c.process == nil {
			caches.close()
			temp.close()
		}
	}()
	work := Work{Policy: c.Policy, Dir: c.Dir, WorkDir: c.WorkDir, Layers: caches.layers, Caches: caches.bare, TempDir: temp.path}
	if c.opening != nil {
		work.Trust, work.Bundle = true, c.opening.bundle
	}
	plan, err := c.backend().Plan(work)
	if err != nil {
		return err
	}
	own := plan.Own()
	c.ownPorts = own.Ports
	ports, err := c.publish(func(port uint16) bool { return slices.Contains(own.Ports, port) })
	if err != nil {
		return err
	}
	p, err := plan.Start(Run{
		Args: c.Args, Env: environment(c.Policy, c.environ(), own, &caches), Stdio: c.stdio.child, Withheld: c.Withheld,
		Forward: c.forward.start(&c.Policy.Network), Trace: c.Trace, Meanwhile: c.meanwhile, Events: events{c},
	})
	if err != nil {
		ports.close()
		return err
	}
	c.process, c.caches, c.temp = p, caches, temp
	c.untilEnded(p.Doors())
	c.publishPorts(ports, p)
	if filtered(c.Policy) {
		go c.serve(p.Doors())
	} else {
		p.Doors().Close()
	}
	return nil
}

func (c *Cmd) backend() Backend {
	if c.Backend != nil {
		return c.Backend
	}
	return hostBackend
}

// publishPorts lets the host's side reach the sandbox's localhost.
func (c *Cmd) publishPorts(ports published, p Process) {
	context.AfterFunc(c.ended, ports.close)
	c.servePublished(ports, p.Dial)
	if n := c.Policy.Network; n.AllowLocalBinding && n.Mode != policy.ModeHost {
		go (&localBinding{c: c, ports: p.Listening, dial: p.Dial}).follow()
	}
}

// meanwhile is what a command's start needs and the sandbox does not.
func (c *Cmd) meanwhile(owner func(net.Conn) (int, string)) (err error) {
	c.server, err = c.newServer(func(conn net.Conn) proxy.Process {
		pid, command := owner(conn)
		return proxy.Process{PID: pid, Command: command}
	})
	if err != nil {
		return err
	}
	if c.Starting != nil {
		return c.Starting()
	}
	return nil
}

// untilEnded has the network end with the command: at once where it was never
// used, while the kernel ends the rest.
func (c *Cmd) untilEnded(doors Doors) {
	c.endNetwork = func() { c.drain(doors) }
	context.AfterFunc(c.ended, func() {
		if !doors.Called() {
			doors.Close()
		}
	})
}

// drain lets what the command sent last go out. No process of the sandbox is
// left.
func (c *Cmd) drain(doors Doors) {
	n := &c.Policy.Network
	if len(n.Publish) > 0 || n.AllowLocalBinding || doors.Called() {
		c.server.Drain(doors.Waiting)
	}
	c.server.Close()
	doors.Close()
}

// serve accepts on what the sandbox has inside.
func (c *Cmd) serve(doors Doors) {
	open := func(d Door) {
		if d.Stream != nil && !c.server.Expect(d.Stream) { // before it waits no more
			return
		}
		go c.serveOne(d)
	}
	if err := doors.Serve(open); err != nil {
		c.warn("proxy: %v", err)
	}
}

func (c *Cmd) serveOne(d Door) {
	var err error
	switch d.Kind {
	case DoorProxy:
		err = c.server.ServeProxy(d.Stream)
	case DoorTransparent:
		err = c.server.ServeTransparent(d.Stream)
	case DoorDNS:
		err = c.server.ServeDNS(d.Packet)
	case DoorDNSTCP:
		err = c.server.ServeDNSTCP(d.Stream)
	case DoorForward:
		rule, source := c.forwarder(d.Port)
		err = c.server.ServeForward(d.Stream, d.Port, rule, source)
	default:
		err = fmt.Errorf("a door of unknown kind %d", d.Kind)
	}
	if err != nil {
		c.warn("proxy: %v", err)
	}
}

// events are the sandbox's, told on.
type events struct{ c *Cmd }

func (e events) CommandEnded() {
	e.c.server.StopAsking()
	e.c.end()
}

func (e events) CommandStopped(sig syscall.Signal) {
	if e.c.Stopped != nil {
		e.c.Stopped(sig)
	}
}

func (e events) Connecting(ctx context.Context, to netip.AddrPort, pid int, command string, wait bool) error {
	return e.c.server.Connecting(ctx, to, proxy.Process{PID: pid, Command: command}, wait)
}

func (e events) Missed(denials int) { e.c.warn("%d denials came too fast to be told", denials) }

func (e events) DeniedFile(f FileDenial) { e.c.deniedFile(f) }
