//go:build unix

package relay

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// WaitReadable waits until a connection has something to read, its end
// included. One that cannot tell is said to have. The error is the connection's,
// its read deadline among them.
func WaitReadable(conn net.Conn) error {
	_, err := WaitForMore(conn)
	return err
}

// WaitForMore is WaitReadable that tells the end, without taking it. A reset is
// the error, and told once.
func WaitForMore(conn net.Conn) (ended bool, err error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false, err
	}
	var n int
	var state error
	err = raw.Read(func(fd uintptr) bool {
		n, state = peek(fd)
		return state != unix.EAGAIN
	})
	if err != nil {
		return false, err
	}
	return n == 0, state // a reset is told once: whoever reads next would see an orderly end
}

// Readable reports that a connection has something to read or has ended. One
// that cannot tell is said to have nothing.
func Readable(conn net.Conn) bool {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	var state error
	err = raw.Control(func(fd uintptr) { _, state = peek(fd) })
	return err != nil || state != unix.EAGAIN
}

// pollIn reports that a descriptor can be read or accepted on.
func pollIn(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := ignoringEINTR(func() (int, error) { return unix.Poll(fds, 0) })
	return n > 0 && fds[0].Revents&unix.POLLIN != 0
}

// peek looks at a socket's first byte without taking it or waiting for it.
func peek(fd uintptr) (int, error) {
	var b [1]byte
	return ignoringEINTR(func() (int, error) {
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return n, err
	})
}

// Acceptable reports that a listener has a connection that was not accepted.
// What has no descriptor has none.
func Acceptable(l any) bool {
	readable := false
	control(l, func(fd uintptr) { readable = pollIn(fd) })
	return readable
}

// Unread reports that a connection has bytes to read; its end is none.
func Unread(conn net.Conn) bool {
	n := 0
	control(conn, func(fd uintptr) { n, _ = peek(fd) })
	return n > 0
}

// control calls f with the descriptor of what has one.
func control(of any, f func(fd uintptr)) {
	if c, ok := of.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			raw.Control(f)
		}
	}
}
