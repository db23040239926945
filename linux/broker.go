//go:build linux

package linux

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"srun/linux/broker"
	"srun/policy"
)

// SocketDenial is a refused connection to a Unix socket of the host.
type SocketDenial struct {
	Path    string // of the socket, links resolved
	PID     int
	Command string
}

// newBroker makes what does the command's calls that stop.
func newBroker(notify int, killable bool, c *Config) (*broker.Broker, error) {
	sockets, err := hostSockets(c.Plan)
	if err != nil {
		unix.Close(notify)
		return nil, err
	}
	judge := &judge{c.Plan}
	return broker.New(broker.Config{
		Notify: notify, Killable: killable, Runs: c.Runs, Rules: brokerRules(&c.Plan.Rules), Sockets: sockets,
		Denied: func(d broker.Denial) { c.deniedByBroker(d) },
		Failed: func(f broker.Failure) func() {
			// git clone and cp -l try it, and make a copy.
			if strings.HasPrefix(f.Call, "link") && f.Errno == unix.EXDEV && !c.Trace {
				return nil
			}
			denials := judge.failure(f)
			if len(denials) == 0 || c.DeniedFile == nil {
				return nil
			}
			return func() {
				for _, d := range denials {
					c.DeniedFile(d)
				}
			}
		},
	}), nil
}

// deniedByBroker passes on what the broker refused.
func (c *Config) deniedByBroker(d broker.Denial) {
	if d.Operation == "unix-socket" {
		if c.DeniedSocket != nil {
			c.DeniedSocket(SocketDenial{Path: printable(d.Path), PID: d.PID, Command: printable(d.Command)})
		}
		return
	}
	if c.DeniedFile == nil {
		return
	}
	f := FileDenial{
		Operation: d.Operation, Path: d.Path, Ruled: d.Path, PID: d.PID, Command: printable(d.Command),
		Reason: d.Why.Reason, Rule: d.Why.Rule, Fixed: true, Protected: d.Why.Protected,
	}
	f.Source, _ = d.Why.Denied.(policy.Source)
	c.DeniedFile(f)
}

// failure tells which of an act's paths the sandbox refused it for, if any.
func (j *judge) failure(f broker.Failure) (denials []FileDenial) {
	call := syscallInfo{args: [6]uint64{2: f.Flags, 4: f.Flags}} // where unlinkat and renameat2 have them
	var acts []act
	var places []Place
	for i, r := range roles(f.Call) {
		a := act{kind: r.kind, dir: unix.AT_FDCWD, path: f.Paths[i]}
		if r.kind == openAct {
			a.open(f.Flags)
			a.follow = false
		}
		p, ok := a.locate()
		if !ok {
			return nil
		}
		if a.create && p.missing {
			a.kind = makeAct
		}
		acts, places = append(acts, a), append(places, p)
	}
	if len(acts) == 0 || failsAnyway(f.Call, &call, acts, places, f.Errno) {
		return nil
	}
	for i, a := range acts {
		if d, ok := j.act(a, places[i], f.Errno); ok {
			d.PID, d.Command = f.PID, printable(f.Command)
			denials = append(denials, d)
		}
	}
	return denials
}

// brokerRules are a plan's as the broker takes them.
func brokerRules(p *Rules) broker.Rules {
	r := broker.Rules{
		Own: p.Own, Writable: p.Writable, Reserved: make(map[string]broker.Why, len(p.Reserved)), Kept: p.Kept, Held: p.Held,
		Templates: p.Templates, Opened: p.Opened, AllowGitConfig: p.AllowGitConfig, Git: p.Git,
	}
	for path, why := range p.Reserved {
		r.Reserved[path] = brokerWhy(why)
	}
	for _, n := range p.Names {
		r.Names = append(r.Names, broker.Name(n))
	}
	for _, g := range p.Globs {
		r.Globs = append(r.Globs, broker.Glob{Pattern: g.Pattern, Why: brokerWhy(g.Why)})
	}
	return r
}

func brokerWhy(w Why) broker.Why {
	return broker.Why{Reason: w.Reason, Rule: w.Rule, Protected: w.Protected, Denied: w.Source}
}

// hostSockets opens the sockets that a plan means by what they are now.
func hostSockets(p *Plan) (broker.Sockets, error) {
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
			closeFDs(s.Files...)
			return s, fmt.Errorf("%s: %w", quoted(socket.Path), err)
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

// readAddress copies a process's socket address, of at most the size of struct
// sockaddr_storage as in the kernel.
func readAddress(pid int, at, size uint64) ([]byte, unix.Errno) {
	const storage = 128
	n := int32(size)
	if n < 0 || n > storage {
		return nil, unix.EINVAL
	}
	if n == 0 {
		return nil, 0
	}
	buf, ok := readMemory(pid, at, int(n))
	if !ok {
		return nil, unix.EFAULT
	}
	return buf, 0
}

func leader(tid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return tid
	}
	var tgid int
	fmt.Sscan(statusField(status, "Tgid"), &tgid)
	return tgid
}

// pathAddress returns the path in a Unix socket address (unix(7)).
func pathAddress(addr []byte) (string, bool) {
	if len(addr) <= 2 || *(*uint16)(unsafe.Pointer(&addr[0])) != unix.AF_UNIX || addr[2] == 0 {
		return "", false
	}
	path, _, _ := bytes.Cut(addr[2:], []byte{0})
	return string(path), true
}
