//go:build linux

package linux

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/box"
	"srun/linux/broker"
	"srun/linux/internal/procfs"
	"srun/linux/plan"
	"srun/linux/trace"
)

// SocketDenial is a refused connection to a Unix socket of the host.
type SocketDenial struct {
	Path    string // of the socket, links resolved
	PID     int
	Command string
}

// newBroker makes what does the command's calls that stop.
func (c *Config) newBroker(notify int, killable bool) (box.Broker, error) {
	sockets, err := hostSockets(c.Plan)
	if err != nil {
		unix.Close(notify)
		return nil, err
	}
	judge := trace.NewJudge(c.Plan)
	return broker.New(broker.Config{
		Notify: notify, Killable: killable, Runs: c.Runs, Rules: c.Plan.Rules, Sockets: sockets,
		Denied: func(d broker.Denial) { c.deniedByBroker(d) },
		Bound:  c.Bound,
		Missed: c.Missed,
		Onward: c.Onward,
		Failed: func(f broker.Failure) func() { return c.failed(judge, f) },
	}), nil
}

// failed judges an act that the kernel refused.
func (c *Config) failed(judge *trace.Judge, f broker.Failure) (tell func()) {
	// git clone and cp -l try it, and make a copy.
	if strings.HasPrefix(f.Call, "link") && f.Errno == unix.EXDEV && !c.Trace {
		return nil
	}
	denials := judge.Failed(f.Call, f.Paths, f.Flags, f.Errno)
	if len(denials) == 0 || c.DeniedFile == nil {
		return nil
	}
	return func() {
		for _, d := range denials {
			d.PID, d.Command = f.PID, procfs.Printable(f.Command)
			c.DeniedFile(d)
		}
	}
}

// deniedByBroker passes on what the broker refused.
func (c *Config) deniedByBroker(d broker.Denial) {
	if d.Operation == "unix-socket" {
		if c.DeniedSocket != nil {
			c.DeniedSocket(SocketDenial{Path: procfs.Printable(d.Path), PID: d.PID, Command: procfs.Printable(d.Command)})
		}
		return
	}
	if c.DeniedFile == nil {
		return
	}
	f := trace.Denial{
		Operation: d.Operation, Path: d.Path, Ruled: d.Path, PID: d.PID, Command: procfs.Printable(d.Command),
		Reason: d.Why.Reason, Rule: d.Why.Rule, Fixed: true, Protected: d.Why.Protected, Source: d.Why.Source,
	}
	c.DeniedFile(f)
}

// hostSockets opens the sockets that a plan means by what they are now.
func hostSockets(p *plan.Plan) (broker.Sockets, error) {
	s := broker.Sockets{All: p.AllUnixSockets, Shared: p.HostNetwork}
	if !s.Shared {
		s.Stale = stale
	}
	for _, socket := range p.UnixSockets {
		if socket.Now == "" {
			s.Paths = append(s.Paths, socket.Path)
			continue
		}
		fd, err := unix.Open(socket.Now, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			for _, file := range s.Files {
				unix.Close(file)
			}
			return s, fmt.Errorf("%s: %w", plan.Quoted(socket.Path), err)
		}
		s.Files = append(s.Files, fd)
	}
	return s, nil
}

// stale tells whether nobody listens on a socket file, by the host's list.
func stale(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	return nobodyListens(bindPlace{ino: uint32(st.Ino), dev: kernelDevice(os.Getpid(), fd, &st)})
}
