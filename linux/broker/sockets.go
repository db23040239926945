//go:build linux

package broker

import (
	"bytes"
	"encoding/binary"
	"sync"
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

// firstSweep is how many sockets are held before a look at which are still there.
const firstSweep = 128

// mostOwn bounds the sockets that a command may have bound to paths.
const mostOwn = 16_384

// sockets are those that may be connected to.
type sockets struct {
	Sockets
	mu      sync.Mutex
	sweepAt int               // so many, until those whose name is gone are forgotten
	own     map[fileID]int    // bound inside: the descriptor keeps the number from another file
	names   map[uint64][]byte // addresses as they were bound, by the socket's cookie
}

func newSockets(s Sockets) *sockets {
	return &sockets{Sockets: s, sweepAt: firstSweep, own: map[fileID]int{}, names: map[uint64][]byte{}}
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
	if len(s.own) >= s.sweepAt {
		s.sweep()
		s.sweepAt = max(firstSweep, 2*len(s.own))
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
	c.wasRead(at, buf)
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
