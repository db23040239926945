//go:build linux

package broker

import (
	"encoding/binary"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

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
	if to, out := leaves(sock, addr); errno == 0 && out && c.onward != nil {
		errno = c.connectOnward(sock, to, addr)
	} else if errno == 0 {
		if errno = c.connectTo(sock, addr); errno == unix.ECONNREFUSED || errno == unix.EINPROGRESS && hasFailed(sock) {
			c.refused.note(addr)
		}
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
	c.reports.told(Denial{Operation: "unix-socket", Path: path.Clean(p), PID: pid, Command: name})
	return unix.EACCES
}

// connectTo connects without waiting: a full queue, or a peer that does not
// answer, would hold up a worker.
func (c *call) connectTo(sock int, addr []byte) unix.Errno {
	flags, err := unix.FcntlInt(uintptr(sock), unix.F_GETFL, 0)
	if err != nil {
		return errnoOf(err)
	}
	patience, err := unix.GetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO)
	if err != nil {
		return errnoOf(err)
	}
	errno := impatient(sock, addr, patience)
	if flags&unix.O_NONBLOCK != 0 { // another thread may have taken that back meanwhile
		return errno
	}
	if errno != unix.EAGAIN && errno != unix.EINPROGRESS {
		return errno
	}
	again, err := unix.FcntlInt(uintptr(sock), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return errnoOf(err)
	}
	var held *int
	p, _ := pathAddress(addr)
	if number, ok := strings.CutPrefix(p, "/proc/self/fd/"); ok && family(addr) == unix.AF_UNIX {
		fd, _ := strconv.Atoi(number)
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			unix.Close(again)
			return errnoOf(err)
		}
		held, addr = &fd, unixAddress("/proc/self/fd/"+strconv.Itoa(fd))
	}
	c.wait.Add(1)
	go c.connectLater(call{worker: &worker{Broker: c.Broker, buf: make([]byte, unix.PathMax)}, note: c.note, what: c.what, read: c.read}, again, held, addr, *patience, errno)
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
		case pause == lastTry && c.signalled() != 0:
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
