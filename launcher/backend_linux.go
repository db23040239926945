package launcher

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"srun/linux"
	"srun/linux/box"
	"srun/linux/broker"
	"srun/linux/plan"
	"srun/linux/trace"
	"srun/policy"
	"srun/proxy"
)

var hostBackend Backend = linuxBackend{}

// linuxBackend is Linux with namespaces: package linux.
type linuxBackend struct{}

func (linuxBackend) Capabilities() policy.Capabilities {
	return policy.Capabilities{
		AddressRules:  true,
		CustomProxy:   true,
		UpstreamProxy: true,
		NetworkNone:   true,
		NetworkHost:   true,
		MissingPaths:  true,
		Globs:         true,
		UnixSockets:   true,
		Forward:       true,
		Publish:       true,
		LocalBinding:  true,
		AllUnix:       true,
		Timeout:       true,
		TLSTerminate:  true,
		RequestRules:  true,
	}
}

// cachePath is where a cache is inside that the host has not got.
func cachePath(_, name string) string { return plan.CachesDir + "/" + name }

// HostListening lists the TCP ports that are served on the host's localhost.
func HostListening() []uint16 { return box.HostListening() }

func (linuxBackend) Probe() []Check {
	checks := linux.Probe()
	out := make([]Check, 0, len(checks))
	for _, c := range checks {
		out = append(out, Check(c))
	}
	return out
}

func (linuxBackend) Plan(w Work) (Plan, error) {
	host, err := linux.ThisHost(w.WorkDir)
	if err != nil {
		return nil, err
	}
	if w.Trust {
		host.Trust = trust(w.Bundle)
	}
	for _, l := range w.Layers {
		host.Layers = append(host.Layers, plan.Layer(l))
	}
	host.Caches, host.TempDir = w.Caches, w.TempDir
	made, err := plan.New(w.Policy, w.Dir, host)
	if err != nil {
		return nil, err
	}
	return &linuxPlan{w, made}, nil
}

type linuxPlan struct {
	Work
	plan *plan.Plan
}

func (l *linuxPlan) Own() Own {
	o := Own{TempDir: l.plan.TempDir, Ports: box.OwnPorts()}
	if filtered(l.Policy) {
		o.ProxyPort = box.ProxyPort
	}
	if l.Trust {
		o.Bundle = plan.BundlePath
	}
	return o
}

func (l *linuxPlan) Start(r Run) (Process, error) {
	var p *box.Process
	started, err := linux.Start(linux.Config{
		Config: box.Config{
			Plan:  l.plan,
			Args:  r.Args,
			Env:   r.Env,
			Stdio: r.Stdio,
			Ended: r.Events.CommandEnded,
			Meanwhile: func() error { // before there is a process, nobody calls
				return r.Meanwhile(func(conn net.Conn) (int, string) { return p.Owner(conn) })
			},
			Forward:  r.Forward,
			Withheld: r.Withheld,
		},
		DeniedSocket: func(d linux.SocketDenial) {
			r.Events.DeniedFile(FileDenial{Operation: opUnixSocket, Path: d.Path, PID: d.PID, Command: d.Command})
		},
		Bound:      r.Events.Bound,
		Missed:     r.Events.Missed,
		Onward:     l.onward(r.Events),
		Trace:      r.Trace,
		Runs:       l.Policy.RunsFile,
		DeniedFile: func(d trace.Denial) { r.Events.DeniedFile(FileDenial(d)) },
	})
	if err != nil {
		return nil, translate(err)
	}
	p = started
	go followStops(p, r.Events)
	return linuxProcess{p}, nil
}

// onward has the proxy decide on connections before they are made.
func (l *linuxPlan) onward(events Events) broker.Onward {
	if !filtered(l.Policy) {
		return nil
	}
	return func(ctx context.Context, to netip.AddrPort, pid int, command string, wait bool) unix.Errno {
		err := events.Connecting(ctx, to, pid, command, wait)
		var errno unix.Errno
		var slow net.Error
		_, denied := errors.AsType[*proxy.Denial](err)
		switch {
		case err == nil:
			return 0
		case denied:
			return unix.ECONNREFUSED
		case errors.As(err, &errno) && slices.Contains(connectErrors, errno):
			return errno
		case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
			return unix.ETIMEDOUT
		}
		return unix.EHOSTUNREACH
	}
}

// connectErrors are connect(2)'s that say something of who was connected to.
var connectErrors = []unix.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ETIMEDOUT, unix.ECONNRESET}

// followStops has the command go on once its stop was told of.
func followStops(p *box.Process, events Events) {
	for e := range p.Events {
		if e.Stopped != 0 && p.CommandStopped() {
			events.CommandStopped(e.Stopped)
			p.Signal(syscall.SIGCONT)
		}
	}
}

type linuxProcess struct{ *box.Process }

func (p linuxProcess) Doors() Doors { return linuxDoors{p.Listeners} }

type linuxDoors struct{ *box.Listeners }

var doorKinds = map[box.Kind]DoorKind{
	box.ListenProxy: DoorProxy, box.ListenTransparent: DoorTransparent, box.ListenDNS: DoorDNS,
	box.ListenDNSTCP: DoorDNSTCP, box.ListenForward: DoorForward,
}

func (d linuxDoors) Serve(open func(Door)) error {
	return d.Listeners.Serve(func(l box.Listener) {
		kind, known := doorKinds[l.Kind]
		if !known {
			kind = -1
		}
		open(Door{Kind: kind, Port: l.Port, Stream: l.Stream, Packet: l.Packet})
	})
}

// trust has the command trust the bundle, in every place that is looked at.
func trust(bundle []byte) *plan.Trust {
	t := &plan.Trust{PEM: bundle}
	for _, path := range systemBundles {
		t.Over = append(t.Over, plan.TrustFile{Path: path, Content: bundle})
	}
	for _, path := range javaStores {
		if _, err := os.Stat(path); err == nil {
			t.Over = append(t.Over, plan.TrustFile{Path: path, Content: javaStore(bundle)})
		}
	}
	return t
}

// Missing names the protection that an error of Start says cannot be enforced,
// "" when the error is about something else.
func Missing(err error) string {
	if e, ok := errors.AsType[*plan.Error](err); ok {
		return e.Protection
	}
	return ""
}

func translate(err error) error {
	var e *plan.Error
	if errors.As(err, &e) && e.Protection == "" {
		switch {
		case errors.Is(err, box.ErrNotFound):
			return &startError{err: err, kind: ErrNotFound}
		case errors.Is(err, box.ErrNotExecutable):
			return &startError{err: err, kind: ErrNotExecutable}
		}
	}
	return err
}
