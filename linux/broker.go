//go:build linux

package linux

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"srun/linux/broker"
	"srun/policy"
	"srun/policy/pathtree"
)

// SocketDenial is a refused connection to a Unix socket of the host.
type SocketDenial struct {
	Path    string // of the socket, links resolved
	PID     int
	Command string
}

// newBroker makes what does the command's calls that stop.
func newBroker(notify int, killable bool, c *Config) (*broker.Broker, error) {
	sockets, err := c.Plan.sockets(c.HostNetwork)
	if err != nil {
		unix.Close(notify)
		return nil, err
	}
	judge := newJudge(c.Plan)
	return broker.New(broker.Config{
		Notify: notify, Killable: killable, Runs: c.Runs, Rules: c.Plan.rules, Sockets: sockets,
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
	if m, ok := d.Why.Denied.(MissingPath); ok {
		f.Source = m.Source
	}
	c.DeniedFile(f)
}

// failure tells which of an act's paths the sandbox refused it for, if any.
func (j *judge) failure(f broker.Failure) (denials []FileDenial) {
	call := syscallInfo{args: [6]uint64{2: f.Flags, 4: f.Flags}} // where unlinkat and renameat2 have them
	var acts []act
	var places []place
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

// sockets are those of the host's that may be connected to. In a directory that
// the command may write, or behind a link in one, it could put another in one's
// place: there the file that is there now is meant.
func (p *Plan) sockets(shared bool) (broker.Sockets, error) {
	s := broker.Sockets{All: p.AllUnixSockets, Shared: shared}
	if !shared {
		s.Stale = stale
	}
	for _, path := range p.UnixSockets {
		at, err := walk(path, lstat)
		if err != nil || at.missing {
			continue // left out when the policy was loaded
		}
		if !slices.ContainsFunc(append(at.links, at.path), func(step string) bool {
			return p.nodes.At(filepath.Dir(step)).Access() == pathtree.ReadWrite
		}) {
			s.Paths = append(s.Paths, path)
			continue
		}
		fd, err := unix.Open(at.path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			closeFDs(s.Files...)
			return s, fmt.Errorf("%s: %w", quoted(path), err)
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

// brokerRules are what no mount can hold: paths that are not there, names at any
// depth, and what would appear in a git directory.
func (b *builder) brokerRules(p *policy.Policy, nodes nodes) broker.Rules {
	r := broker.Rules{
		Own: ownWritable, Reserved: map[string]broker.Why{}, Held: map[string]bool{}, Kept: b.kept, Globs: b.globs,
		AllowGitConfig: p.Filesystem.AllowGitConfig,
	}
	for _, rule := range b.plan.Landlock {
		if rule.Rights&ll.AccessFSWriteFile != 0 {
			r.Writable = append(r.Writable, rule.Path)
		}
	}
	for _, m := range b.plan.Missing {
		r.Reserved[m.Path] = broker.Why{Reason: m.why(), Rule: m.Reason, Protected: m.Protected, Denied: m}
	}
	for _, n := range nodes { // the host may replace one, and its mount is gone
		if n.DenyWrite && n.InWrite {
			if _, known := r.Reserved[n.Path]; !known {
				r.Reserved[n.Path] = broker.Why{}
			}
		}
	}
	for _, op := range b.plan.Mounts {
		r.Held[op.Path] = true
	}
	for _, name := range p.Protected() {
		if name.Anywhere && !strings.HasPrefix(name.Path, ".git/") {
			r.Names = append(r.Names, broker.Name{Name: pathtree.Name(name.Path), Reason: name.Reason})
		}
	}
	for _, template := range b.templates {
		hooks, err := b.host.find(filepath.Join(template, "hooks"))
		if err == nil && hooks.dir && nodes.At(hooks.path).Access() != pathtree.ReadWrite {
			r.Templates = append(r.Templates, template)
		}
	}
	r.Opened = p.Opened
	r.Git.AllowedHost = func(host string, port int) bool { return hostAllowed(p, host, port) }
	return r
}

// why is a missing path's reason in a denial line.
func (m MissingPath) why() string {
	switch {
	case m.Protected:
		return "protected path"
	case m.Reason != "":
		return m.Reason
	}
	return "denied by filesystem.denyWrite"
}

// hostAllowed tells whether the policy's lists allow a host, without a question.
func hostAllowed(p *policy.Policy, host string, port int) bool {
	h, err := policy.ParseHost(host)
	return err == nil && p.Network.Domains().Decide(policy.HostPort{Host: h, Port: uint16(port)}).Verdict == policy.Allowed
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
