//go:build linux

package box

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"srun/linux/internal/procfs"

	"golang.org/x/sys/unix"
)

// Owner tells which process of the sandbox holds the other end of an accepted
// connection: its process id as the host sees it and its name, or zeros. It
// reads /proc and takes a fraction of a millisecond for each process inside.
func (p *Process) Owner(conn net.Conn) (pid int, command string) {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return 0, ""
	}
	inode := p.socketInode(remote.AddrPort())
	if inode == "" {
		return 0, ""
	}
	for _, pid := range p.members() {
		if holds(pid, "socket:["+inode+"]") {
			return pid, procfs.Command(pid)
		}
	}
	return 0, ""
}

// socketInode finds a local address in the tables of the sandbox's network
// namespace (proc_pid_net(5)).
func (p *Process) socketInode(local netip.AddrPort) string {
	for _, table := range []string{"tcp", "tcp6"} {
		body, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.Pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(body)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[1] == procAddr(local, table == "tcp6") {
				return f[9]
			}
		}
	}
	return ""
}

// procAddr spells an address as /proc/net/tcp does: words of four bytes in the
// machine's order, which is little endian on every ABI srun builds for.
func procAddr(a netip.AddrPort, six bool) string {
	addr := a.Addr().Unmap()
	var raw []byte
	if six {
		b := netip.AddrFrom16(addr.As16()).As16()
		raw = b[:]
	} else if addr.Is4() {
		b := addr.As4()
		raw = b[:]
	}
	var s strings.Builder
	for i := 0; i+4 <= len(raw); i += 4 {
		fmt.Fprintf(&s, "%02X%02X%02X%02X", raw[i+3], raw[i+2], raw[i+1], raw[i])
	}
	fmt.Fprintf(&s, ":%04X", a.Port())
	return s.String()
}

// members lists the processes of the sandbox's PID namespace, but for init.
func (p *Process) members() []int {
	ours := p.in.pidNS
	if ours == "" {
		return nil
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == p.Pid {
			continue
		}
		if ns, err := os.Readlink(dir + "/ns/pid"); err == nil && ns == ours {
			pids = append(pids, pid)
		}
	}
	return pids
}

func holds(pid int, link string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && target == link {
			return true
		}
	}
	return false
}

// HasGroup tells whether a process group is one of the sandbox's.
func (p *Process) HasGroup(group int) bool {
	for _, pid := range p.members() {
		if id, err := unix.Getpgid(pid); err == nil && id == group {
			return true
		}
	}
	return false
}

// CommandStopped tells whether the command is stopped right now. A stop that
// came over the socket may be over by the time it is read: ^Z stops srun as
// well, and fg continues both.
func (p *Process) CommandStopped() bool {
	for _, pid := range p.members() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && procfs.Field(status, "NSpid") == strconv.Itoa(p.command) {
			state := procfs.Field(status, "State")
			return state == "(stopped)" || state == "stop)" && p.tracer != nil && p.tracer.Holds(pid) // "(tracing stop)"
		}
	}
	return false
}
