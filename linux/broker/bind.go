//go:build linux

package broker

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// firstFreePort is ip_unprivileged_port_start in a new network namespace: the
// command has no right to those below, and srun has.
const firstFreePort = 1024

// maxSunPath is the size of sun_path in struct sockaddr_un, in bytes.
const maxSunPath = 108

func (c *call) bind() unix.Errno {
	addr, errno := c.address(c.arg(1), c.arg(2))
	if errno != 0 {
		return errno
	}
	sock, domain, errno := c.socket(c.intArg(0))
	if errno != 0 {
		return errno
	}
	if domain == unix.AF_UNIX && len(addr) > 2+maxSunPath {
		return unix.EINVAL
	}
	if domain == unix.AF_INET || domain == unix.AF_INET6 {
		if len(addr) >= 4 {
			if port := binary.BigEndian.Uint16(addr[2:]); port > 0 && port < firstFreePort {
				return unix.EACCES
			}
		}
		errno := rawAddress(unix.SYS_BIND, sock, addr)
		if errno == 0 && c.onBound != nil && len(addr) >= 4 {
			c.onBound(binary.BigEndian.Uint16(addr[2:]))
		}
		return errno
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
	dirPath, unlock := c.hold(s, true) // no other name comes between the bind and the look
	defer unlock()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		if errno == unix.EEXIST {
			return unix.EADDRINUSE
		}
		return errno
	}
	if err := unix.Fchdir(s.dir); err != nil {
		return errnoOf(err)
	}
	err := bindName(sock, s.name)
	fd, opened := -1, error(nil)
	if err == nil {
		fd, opened = unix.Openat2(s.dir, s.last(), &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC})
	}
	unix.Chdir("/")
	if err != nil {
		return c.failed(errnoOf(err), s.at(dirPath))
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

// bindName binds a socket to a name in the thread's working directory. A name
// of the whole length of sun_path has no zero behind it (unix(7)).
func bindName(sock int, name string) error {
	addr := append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), name...)
	if len(name) < maxSunPath {
		addr = append(addr, 0)
	}
	if errno := rawAddress(unix.SYS_BIND, sock, addr); errno != 0 {
		return errno
	}
	return nil
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
	full := append(append(addr[:2:2], p...), 0)
	if errno := writeMemory(c.tid(), c.arg(1), full[:min(len(full), int(n))]); errno != 0 {
		return errno
	}
	binary.NativeEndian.PutUint32(room[:], uint32(len(full)))
	return writeMemory(c.tid(), c.arg(2), room[:])
}
