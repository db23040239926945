//go:build linux

package broker

import (
	"bytes"
	"encoding/binary"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sockets are the host's Unix sockets that the command may connect to.
type Sockets struct {
	// Paths lie where the command cannot write: whatever is there is meant, so
	// that a server may restart.
	Paths []string
	// Files are sockets that were there when the run began, in directories that
	// the command may write: O_PATH descriptors, the broker's from now on.
	Files []int
	All   bool // any

	Shared bool // the network namespace is the host's: abstract names are too

	// Stale tells of a socket that is not the command's whether nobody listens on
	// it, which decides how a refusal is worded; nil is no.
	Stale func(fd int) bool
}

// mostOwn bounds the sockets that a command may have bound to paths.
const mostOwn = 16_384

// sockets are those that may be connected to.
type sockets struct {
	Sockets
	mu    sync.Mutex
	own   map[fileID]int    // bound inside: the descriptor keeps the number from another file
	names map[uint64][]byte // addresses as they were bound, by the socket's cookie
}

func newSockets(s Sockets) *sockets {
	return &sockets{Sockets: s, own: map[fileID]int{}, names: map[uint64][]byte{}}
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fd := range s.own {
		unix.Close(fd)
	}
	for _, fd := range s.Files {
		unix.Close(fd)
	}
}

// bound takes down what a socket of the command's was bound to.
func (s *sockets) bound(fd int, st *unix.Stat_t) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.own) >= mostOwn {
		s.sweep()
	}
	if _, known := s.own[idOf(st)]; known || len(s.own) >= mostOwn {
		unix.Close(fd)
		return
	}
	s.own[idOf(st)] = fd
}

// sweep forgets sockets whose name is gone.
func (s *sockets) sweep() {
	for id, fd := range s.own {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Nlink == 0 {
			unix.Close(fd)
			delete(s.own, id)
		}
	}
}

// may tells whether a socket file may be connected to.
func (s *sockets) may(st *unix.Stat_t) bool {
	s.mu.Lock()
	_, own := s.own[idOf(st)]
	s.mu.Unlock()
	if own || s.All {
		return true
	}
	var allowed unix.Stat_t
	for _, fd := range s.Files {
		if unix.Fstat(fd, &allowed) == nil && idOf(&allowed) == idOf(st) {
			return true
		}
	}
	for _, p := range s.Paths {
		if unix.Stat(p, &allowed) == nil && idOf(&allowed) == idOf(st) {
			return true
		}
	}
	return false
}

// address copies the caller's socket address, of at most the size of struct
// sockaddr_storage as in the kernel.
func (c *call) address(at, size uint64) ([]byte, unix.Errno) {
	const storage = 128
	n := int32(uint32(size))
	switch {
	case n < 0 || n > storage:
		return nil, unix.EINVAL
	case n == 0:
		return nil, 0
	}
	buf := make([]byte, n)
	if _, errno := readMemory(c.tid(), at, buf); errno != 0 {
		return nil, errno
	}
	return buf, 0
}

// socket duplicates a descriptor of the caller's, and tells its family. The
// process descriptor of a thread other than the first needs Linux 6.9; before,
// its leader's serves, for threads share their descriptors unless they ask for
// their own.
func (c *call) socket(fd int32) (sock, domain int, errno unix.Errno) {
	const pidfdThread = unix.O_EXCL
	pidfd, err := unix.PidfdOpen(c.tid(), pidfdThread)
	if err == unix.EINVAL {
		leader, _ := c.process()
		pidfd, err = unix.PidfdOpen(leader, 0)
	}
	if err != nil {
		return -1, 0, unix.EPERM
	}
	defer unix.Close(pidfd)
	if sock, err = unix.PidfdGetfd(pidfd, int(fd), 0); err != nil {
		return -1, 0, errnoOf(err)
	}
	c.keep(sock)
	if !waits(c.notify, c.note.id) {
		return -1, 0, unix.EINTR
	}
	if domain, err = unix.GetsockoptInt(sock, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil {
		return -1, 0, errnoOf(err)
	}
	return sock, domain, 0
}

func family(addr []byte) int {
	if len(addr) < 2 {
		return unix.AF_UNSPEC
	}
	return int(binary.NativeEndian.Uint16(addr))
}

// pathAddress returns the path in a Unix socket address (unix(7)). An abstract
// name has none and belongs to the network namespace.
func pathAddress(addr []byte) (string, bool) {
	if len(addr) <= 2 || family(addr) != unix.AF_UNIX || addr[2] == 0 {
		return "", false
	}
	p, _, _ := bytes.Cut(addr[2:], []byte{0})
	return string(p), true
}

func rawAddress(call uintptr, sock int, addr []byte) unix.Errno {
	var p unsafe.Pointer
	if len(addr) > 0 {
		p = unsafe.Pointer(&addr[0])
	}
	_, _, errno := unix.Syscall(call, uintptr(sock), uintptr(p), uintptr(len(addr)))
	return errno
}

// firstFreePort is ip_unprivileged_port_start in a new network namespace: the
// command has no right to those below, and srun has.
const firstFreePort = 1024

func (c *call) bind() unix.Errno {
	addr, errno := c.address(c.arg(1), c.arg(2))
	if errno != 0 {
		return errno
	}
	sock, domain, errno := c.socket(c.intArg(0))
	if errno != 0 {
		return errno
	}
	if domain == unix.AF_INET || domain == unix.AF_INET6 {
		if len(addr) >= 4 {
			if port := binary.BigEndian.Uint16(addr[2:]); port > 0 && port < firstFreePort {
				return unix.EACCES
			}
		}
		return rawAddress(unix.SYS_BIND, sock, addr)
	}
	if p, ok := pathAddress(addr); ok && domain == unix.AF_UNIX {
		return c.bindPath(sock, p, addr)
	}
	return rawAddress(unix.SYS_BIND, sock, addr)
}

// bindPath makes the name that a socket is bound to.
func (c *call) bindPath(sock int, p string, addr []byte) unix.Errno {
	s, errno := c.find(unix.AT_FDCWD, p)
	if errno == 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return errno
	}
	dirPath := c.pathOf(s.dir)
	defer c.locks.lock(s.dir)() // no other name comes between the bind and the look
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		if errno == unix.EEXIST {
			return unix.EADDRINUSE
		}
		return errno
	}
	if err := unix.Fchdir(s.dir); err != nil {
		return errnoOf(err)
	}
	err := unix.Bind(sock, &unix.SockaddrUnix{Name: s.name})
	fd, opened := -1, error(nil)
	if err == nil {
		fd, opened = unix.Openat2(s.dir, s.last(), &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC})
	}
	unix.Chdir("/")
	if err != nil {
		return c.failed(dirPath, s.last(), true, errnoOf(err))
	}
	var st unix.Stat_t
	if opened == nil && unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK {
		c.sockets.bound(fd, &st)
	}
	if p != s.name {
		c.sockets.named(sock, addr)
	}
	return 0
}

// named remembers an address that the kernel does not know so.
func (s *sockets) named(sock int, addr []byte) {
	cookie, err := unix.GetsockoptUint64(sock, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) >= mostOwn {
		clear(s.names)
	}
	s.names[cookie] = addr
}

// getsockname tells a socket's address as the command bound it. Nothing that it
// could do with its arguments meanwhile matters.
func (c *call) getsockname() {
	c.sockets.mu.Lock()
	none := len(c.sockets.names) == 0
	c.sockets.mu.Unlock()
	if none {
		letContinue(c.notify, c.note.id)
		return
	}
	sock, domain, errno := c.socket(c.intArg(0))
	if errno != 0 || domain != unix.AF_UNIX {
		letContinue(c.notify, c.note.id)
		return
	}
	cookie, err := unix.GetsockoptUint64(sock, unix.SOL_SOCKET, unix.SO_COOKIE)
	c.sockets.mu.Lock()
	addr := c.sockets.names[cookie]
	c.sockets.mu.Unlock()
	if err != nil || addr == nil {
		letContinue(c.notify, c.note.id)
		return
	}
	c.reply(0, c.writeAddress(addr))
}

// writeAddress fills struct sockaddr_un as unix_getname in the kernel does.
func (c *call) writeAddress(addr []byte) unix.Errno {
	var room [4]byte
	if _, errno := readMemory(c.tid(), c.arg(2), room[:]); errno != 0 {
		return errno
	}
	n := int32(binary.NativeEndian.Uint32(room[:]))
	if n < 0 {
		return unix.EINVAL
	}
	p, _ := pathAddress(addr)
	full := append(addr[:2:2], p...)
	if len(p) < 108 {
		full = append(full, 0)
	}
	if errno := writeMemory(c.tid(), c.arg(1), full[:min(len(full), int(n))]); errno != 0 {
		return errno
	}
	binary.NativeEndian.PutUint32(room[:], uint32(len(full)))
	return writeMemory(c.tid(), c.arg(2), room[:])
}

// connect does what the caller asked for, or leaves it to be done when it no
// longer would have to wait.
func (c *call) connect() {
	addr, errno := c.address(c.arg(1), c.arg(2))
	sock, domain := -1, 0
	if errno == 0 {
		sock, domain, errno = c.socket(c.intArg(0))
	}
	if errno == 0 && domain == unix.AF_UNIX {
		addr, errno = c.connectUnix(addr)
	}
	if errno == 0 {
		errno = c.connectTo(sock, addr)
	}
	if errno != blocks {
		c.reply(0, errno)
	}
}

// connectUnix decides on a Unix socket, and returns the address of the very
// file that it decided on.
func (c *call) connectUnix(addr []byte) ([]byte, unix.Errno) {
	p, ok := pathAddress(addr)
	if !ok {
		if c.sockets.Shared && !c.sockets.All && family(addr) == unix.AF_UNIX {
			return nil, c.denySocket("@" + strings.TrimLeft(string(addr[min(2, len(addr)):]), "\x00"))
		}
		return addr, 0
	}
	s, errno := c.find(unix.AT_FDCWD, p)
	if errno != 0 {
		return nil, errno
	}
	hops := 0
	s, file, errno := c.landing(s, &hops)
	if errno != 0 {
		return nil, errno
	}
	if file.fd < 0 {
		fd, err := unix.Openat2(s.dir, s.name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: noLinks})
		if err != nil {
			return nil, errnoOf(err)
		}
		file.fd = c.keep(fd)
	}
	var st unix.Stat_t
	if err := unix.Fstat(file.fd, &st); err != nil {
		return nil, errnoOf(err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFSOCK:
		return nil, unix.ECONNREFUSED
	case c.sockets.may(&st):
		return unixAddress("/proc/self/fd/" + strconv.Itoa(file.fd)), 0
	case c.sockets.Stale != nil && c.sockets.Stale(file.fd):
		return nil, unix.ECONNREFUSED
	}
	return nil, c.denySocket(c.pathOf(file.fd))
}

func unixAddress(p string) []byte {
	return append(append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), p...), 0)
}

func (c *call) denySocket(p string) unix.Errno {
	pid, name := c.process()
	c.reports.put(Denial{Operation: "unix-socket", Path: path.Clean(p), PID: pid, Command: name})
	return unix.EACCES
}

// connectTo connects without waiting: a full queue, or a peer that does not
// answer, would hold up a worker.
func (c *call) connectTo(sock int, addr []byte) unix.Errno {
	flags, err := unix.FcntlInt(uintptr(sock), unix.F_GETFL, 0)
	if err != nil {
		return errnoOf(err)
	}
	if flags&unix.O_NONBLOCK != 0 {
		return rawAddress(unix.SYS_CONNECT, sock, addr)
	}
	patience, err := unix.GetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO)
	if err != nil {
		return errnoOf(err)
	}
	errno := impatient(sock, addr, patience)
	if errno != unix.EAGAIN && errno != unix.EINPROGRESS {
		return errno
	}
	again, err := unix.FcntlInt(uintptr(sock), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return errnoOf(err)
	}
	var held *int
	if family(addr) == unix.AF_UNIX { // its path is that of a descriptor
		fd, _ := strconv.Atoi(strings.TrimRight(string(addr[2+len("/proc/self/fd/"):]), "\x00"))
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			unix.Close(again)
			return errnoOf(err)
		}
		held, addr = &fd, unixAddress("/proc/self/fd/"+strconv.Itoa(fd))
	}
	c.wait.Add(1)
	go c.connectLater(call{worker: &worker{Broker: c.Broker, buf: make([]byte, unix.PathMax)}, note: c.note}, again, held, addr, *patience, errno)
	return blocks
}

// impatient connects and waits a tick of the kernel's clock at most: so long a
// socket whose SO_SNDTIMEO is a microsecond does (socket(7)).
func impatient(sock int, addr []byte, patience *unix.Timeval) unix.Errno {
	unix.SetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Usec: 1})
	errno := rawAddress(unix.SYS_CONNECT, sock, addr)
	unix.SetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO, patience)
	return errno
}

// connectLater goes on with a connect that has to wait.
func (b *Broker) connectLater(c call, sock int, held *int, addr []byte, patience unix.Timeval, errno unix.Errno) {
	defer b.wait.Done()
	defer unix.Close(sock)
	if held != nil {
		defer unix.Close(*held)
	}
	begun, limit := time.Now(), time.Duration(patience.Nano())
	for pause := firstTry; ; pause = min(2*pause, lastTry) {
		time.Sleep(pause)
		switch {
		case !waits(b.notify, c.note.id):
			return
		case limit > 0 && time.Since(begun) > limit:
			c.reply(0, errno)
			return
		case pause == lastTry && c.signalled():
			c.reply(0, unix.EINTR)
			return
		}
		if errno == unix.EINPROGRESS {
			if done, failed := finished(sock); done {
				c.reply(0, failed)
				return
			}
			continue
		}
		if now := impatient(sock, addr, &patience); now != errno {
			c.reply(0, now)
			return
		}
	}
}

// finished tells whether a connect that is under way has come to an end.
func finished(sock int) (done bool, errno unix.Errno) {
	fds := []unix.PollFd{{Fd: int32(sock), Events: unix.POLLOUT}}
	if n, err := unix.Poll(fds, 0); err != nil || n == 0 {
		return false, 0
	}
	failed, err := unix.GetsockoptInt(sock, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return true, errnoOf(err)
	}
	return true, unix.Errno(failed)
}
