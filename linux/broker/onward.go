//go:build linux

package broker

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// mostOnward bounds the connects that wait for one to be made outside. One more is
// made at once, and ends later where it leads nowhere.
const mostOnward = 2048

// Onward decides on a TCP connection that is to leave the sandbox, before it is made.
// With wait it is made outside first, and only then inside. It returns 0 or what
// connect(2) is to fail with.
type Onward func(ctx context.Context, to netip.AddrPort, pid int, command string, wait bool) unix.Errno

// leaves returns where a connect leads that is of TCP and leaves the sandbox.
func leaves(sock int, addr []byte) (to netip.AddrPort, leaves bool) {
	switch {
	case family(addr) == unix.AF_INET && len(addr) >= unix.SizeofSockaddrInet4: // ip(7)
		to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr[4:8])), binary.BigEndian.Uint16(addr[2:4]))
	case family(addr) == unix.AF_INET6 && len(addr) >= 24: // ipv6(7), without the scope
		to = netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr[8:24])).Unmap(), binary.BigEndian.Uint16(addr[2:4]))
	default:
		return to, false
	}
	if to.Addr().IsLoopback() || to.Addr().IsUnspecified() || to.Port() == 0 || to.Port() == dnsPort {
		return to, false
	}
	return to, isFresh(sock, family(addr))
}

// isFresh reports a socket of TCP and of the address's family that is neither connected
// nor listens: with any other connect(2) does something else, or fails by itself.
func isFresh(sock, family int) bool {
	option := func(name int) int {
		v, err := unix.GetsockoptInt(sock, unix.SOL_SOCKET, name)
		if err != nil {
			return -1
		}
		return v
	}
	if option(unix.SO_PROTOCOL) != unix.IPPROTO_TCP || option(unix.SO_ACCEPTCONN) != 0 || option(unix.SO_DOMAIN) != family {
		return false
	}
	if _, err := unix.Getpeername(sock); err == nil {
		return false
	}
	info, err := unix.GetsockoptTCPInfo(sock, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == tcpClosed
}

// tcpClosed is TCP_CLOSE of the kernel's include/net/tcp_states.h.
const tcpClosed = 7

// dnsPort is the sandbox's own name server's, at every address.
const dnsPort = 53

// connectOnward connects to where a connection leaves the sandbox. Who does not wait
// is told at once of a refusal and of nothing else.
func (c *call) connectOnward(sock int, to netip.AddrPort, addr []byte) unix.Errno {
	flags, err := unix.FcntlInt(uintptr(sock), unix.F_GETFL, 0)
	if err != nil {
		return errnoOf(err)
	}
	pid, command := c.process()
	wait := flags&unix.O_NONBLOCK == 0 && c.onwards.Load() < mostOnward
	if !wait {
		if errno := c.onward(context.Background(), to, pid, command, false); errno != 0 {
			return errno
		}
		return c.connectTo(sock, addr)
	}
	patience, err := unix.GetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO)
	if err != nil {
		return errnoOf(err)
	}
	again, err := unix.FcntlInt(uintptr(sock), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return errnoOf(err)
	}
	later := call{worker: &worker{Broker: c.Broker, buf: make([]byte, unix.PathMax)}, note: c.note, what: c.what, read: c.read}
	c.wait.Add(1)
	c.onwards.Add(1)
	go func() {
		defer c.onwards.Add(-1)
		errno := later.madeOutside(to, pid, command, *patience)
		if errno != 0 {
			if errno == unix.EINTR || errno == restartSys || errno == unix.EINPROGRESS {
				beginConnect(again, addr)
			}
			if errno != blocks {
				later.reply(0, errno)
			}
			unix.Close(again)
			later.wait.Done()
			return
		}
		switch errno := impatient(again, addr, patience); errno {
		case unix.EAGAIN, unix.EINPROGRESS:
			later.connectLater(later, again, nil, addr, *patience, errno)
		default:
			later.reply(0, errno)
			unix.Close(again)
			later.wait.Done()
		}
	}()
	return blocks
}

// beginConnect has a connect that was interrupted go on, as the kernel's does: poll(2)
// tells of it, and so does connect(2) where that is begun again. To wait for it even a
// moment would make it a connection, for which the second call is an error (EISCONN).
func beginConnect(sock int, addr []byte) {
	flags, err := unix.FcntlInt(uintptr(sock), unix.F_GETFL, 0)
	if err != nil {
		return
	}
	unix.FcntlInt(uintptr(sock), unix.F_SETFL, flags|unix.O_NONBLOCK)
	rawAddress(unix.SYS_CONNECT, sock, addr)
	unix.FcntlInt(uintptr(sock), unix.F_SETFL, flags)
}

// onwardTry is between two looks at a caller that waits long.
const onwardTry = 100 * time.Millisecond

// madeOutside returns what came of the connection outside, and blocks when the caller
// is gone.
func (c *call) madeOutside(to netip.AddrPort, pid int, command string, patience unix.Timeval) unix.Errno {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	made := make(chan unix.Errno, 1)
	go func() { made <- c.onward(ctx, to, pid, command, true) }()
	begun, limit := time.Now(), time.Duration(patience.Nano())
	for pause := firstTry; ; pause = min(2*pause, onwardTry) {
		select {
		case errno := <-made:
			return errno
		case <-time.After(pause):
		}
		switch {
		case !waits(c.notify, c.note.id):
			return blocks
		case limit > 0 && time.Since(begun) > limit:
			return unix.EINPROGRESS // socket(7), SO_SNDTIMEO
		case pause < lastTry:
			continue
		}
		switch signal := c.signalled(); {
		case signal != 0 && limit > 0:
			return unix.EINTR // connect(2) is begun again only where it waits for ever
		case signal != 0:
			return signal
		}
	}
}
