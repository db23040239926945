//go:build linux

package linux

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// broker performs connect(2) for the command. A path name of a Unix socket
// reaches into the host, whatever the network namespace, and no filter can
// read it; so connect stops at the filter (seccomp_unotify(2)), and the broker
// copies the address, decides, and connects the caller's own socket itself.
// It never lets the call continue: another thread could change the address or
// the descriptor after the look.
type broker struct {
	waiter  *waiter
	notify  seccomp.ScmpFd // the waiter's descriptor
	diag    *sockDiag
	sockets []string // host sockets that may be connected to
	all     bool     // any may
	shared  bool     // the network namespace is the host's: abstract names are too
	denied  func(SocketDenial)
	slots   chan struct{}
}

// SocketDenial is a refused connection to a Unix socket of the host.
type SocketDenial struct {
	Path    string // of the socket, links resolved
	PID     int
	Command string
}

// brokerSlots bounds the connects in progress: one can wait for a full backlog.
const brokerSlots = 64

func newBroker(notify, diag int, c *Config) (*broker, error) {
	// The caller and the broker take turns: wake each on the other's processor
	// (Linux 6.6; elsewhere it is only slower).
	const setFlags, syncWakeUp = 0x40082104, 1
	unix.IoctlSetInt(notify, setFlags, syncWakeUp)
	w, err := newWaiter(notify, "connect")
	if err != nil {
		closeFDs(diag)
		return nil, err
	}
	return &broker{
		waiter: w, notify: seccomp.ScmpFd(notify), diag: &sockDiag{fd: diag},
		sockets: c.Plan.UnixSockets, all: c.Plan.AllUnixSockets,
		shared: c.HostNetwork, denied: c.DeniedSocket, slots: make(chan struct{}, brokerSlots),
	}, nil
}

// serve answers until no process is left that the filter holds.
func (b *broker) serve() {
	defer b.diag.close()
	defer b.waiter.close()
	for b.called() {
		req, err := seccomp.NotifReceive(b.notify)
		if err != nil {
			continue // the caller was killed meanwhile
		}
		b.slots <- struct{}{}
		go func() {
			defer func() { <-b.slots }()
			b.respond(req.ID, b.connect(req))
		}()
	}
}

// called waits for the next call; false is that nobody is left to make one.
func (b *broker) called() bool {
	fds := []unix.PollFd{{Fd: int32(b.notify), Events: unix.POLLIN}}
	err := b.waiter.wait(func(int) bool {
		n, err := unix.Poll(fds, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	return err == nil && fds[0].Revents&unix.POLLIN != 0
}

func (b *broker) respond(id uint64, errno unix.Errno) {
	resp := seccomp.ScmpNotifResp{ID: id, Error: int32(errno)}
	seccomp.NotifRespond(b.notify, &resp) // fails when the caller is gone
}

// connect does what the caller asked for and returns its errno.
func (b *broker) connect(req *seccomp.ScmpNotifReq) unix.Errno {
	if name, err := req.Data.Syscall.GetNameByArch(req.Data.Arch); err != nil || name != "connect" {
		return unix.EPERM // i386's socketcall: its arguments lie in memory
	}
	pid := int(req.Pid)
	addr, errno := readAddress(pid, req.Data.Args[1], req.Data.Args[2])
	if errno != 0 {
		return errno
	}
	sock, errno := takeSocket(pid, int(int32(req.Data.Args[0])))
	if errno != 0 {
		return errno
	}
	defer unix.Close(sock)
	// Only now is it sure that memory and descriptor were the caller's, and not
	// those of a process that got its number.
	if seccomp.NotifIDValid(b.notify, req.ID) != nil {
		return unix.EINTR
	}
	domain, err := unix.GetsockoptInt(sock, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return errnoOf(err)
	}
	if path, ok := pathAddress(addr); ok && domain == unix.AF_UNIX {
		return b.connectPath(pid, sock, path)
	}
	if b.shared && !b.all && domain == unix.AF_UNIX {
		b.report(pid, "@"+string(bytes.TrimLeft(addr[min(2, len(addr)):], "\x00")))
		return unix.EACCES
	}
	return connectRaw(sock, addr)
}

// readAddress copies the caller's socket address, of at most the size of
// struct sockaddr_storage as in the kernel.
func readAddress(pid int, at, size uint64) ([]byte, unix.Errno) {
	const storage = 128
	n := int32(size)
	if n < 0 || n > storage {
		return nil, unix.EINVAL
	}
	if n == 0 {
		return nil, 0
	}
	buf := make([]byte, n)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(n)}}
	got, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: int(n)}}, 0)
	if err != nil || got != int(n) {
		return nil, unix.EFAULT
	}
	return buf, 0
}

// takeSocket duplicates a descriptor of the caller's. The process descriptor
// of a thread other than the first needs Linux 6.9; before, its leader's
// serves, for threads share their descriptors unless they ask for their own.
func takeSocket(tid, fd int) (int, unix.Errno) {
	const pidfdThread = unix.O_EXCL
	pidfd, err := unix.PidfdOpen(tid, pidfdThread)
	if err == unix.EINVAL {
		pidfd, err = unix.PidfdOpen(leader(tid), 0)
	}
	if err != nil {
		return -1, unix.EPERM
	}
	defer unix.Close(pidfd)
	sock, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return -1, errnoOf(err)
	}
	return sock, 0
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

func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EPERM
}

// pathAddress returns the path in a Unix socket address (unix(7)). An abstract
// name has none and belongs to the sandbox's network namespace anyway.
func pathAddress(addr []byte) (string, bool) {
	if len(addr) <= 2 || *(*uint16)(unsafe.Pointer(&addr[0])) != unix.AF_UNIX || addr[2] == 0 {
		return "", false
	}
	path, _, _ := bytes.Cut(addr[2:], []byte{0})
	return string(path), true
}

func connectRaw(sock int, addr []byte) unix.Errno {
	var p unsafe.Pointer
	if len(addr) > 0 {
		p = unsafe.Pointer(&addr[0])
	}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(sock), uintptr(p), uintptr(len(addr)))
	return errno
}

// connectPath pins the socket that the path leads to in the caller's view,
// decides on that very inode, and connects to it through its descriptor.
func (b *broker) connectPath(pid, sock int, path string) unix.Errno {
	target, err := openAs(pid, path)
	if err != nil {
		return errnoOf(err)
	}
	defer unix.Close(target)
	var st unix.Stat_t
	if err := unix.Fstat(target, &st); err != nil {
		return errnoOf(err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return unix.ECONNREFUSED
	}
	where := bindPlace{ino: uint32(st.Ino), dev: kernelDevice(pid, target, &st)}
	if !b.all && !b.listed(&st) && !b.diag.bound(where) {
		if !b.shared && nobodyListens(where) {
			return unix.ECONNREFUSED // a file that a server left behind
		}
		path, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", target))
		b.report(pid, path)
		return unix.EACCES
	}
	return errnoOfNil(unix.Connect(sock, &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d", target)}))
}

func errnoOfNil(err error) unix.Errno {
	if err == nil {
		return 0
	}
	return errnoOf(err)
}

// openAs opens what a path names for a process, in its mount namespace.
func openAs(pid int, path string) (int, error) {
	base, rest := fmt.Sprintf("/proc/%d/cwd", pid), path
	if filepath.IsAbs(path) {
		base, rest = fmt.Sprintf("/proc/%d/root", pid), path[1:]
	}
	dir, err := unix.Open(base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_MAGICLINKS}
	if filepath.IsAbs(path) {
		how.Resolve |= unix.RESOLVE_IN_ROOT // absolute links mean the caller's root
	}
	return unix.Openat2(dir, rest, &how)
}

// listed tells whether the socket is one of those that the policy names, as
// they are now: a server may have made its socket anew since.
func (b *broker) listed(st *unix.Stat_t) bool {
	for _, path := range b.sockets {
		var allowed unix.Stat_t
		if unix.Stat(path, &allowed) == nil && allowed.Dev == st.Dev && allowed.Ino == st.Ino {
			return true
		}
	}
	return false
}

func (b *broker) report(pid int, path string) {
	if b.denied == nil {
		return
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	b.denied(SocketDenial{Path: printable(path), PID: leader(pid), Command: printable(string(bytes.TrimSpace(name)))})
}
