//go:build linux

package linux

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A socket belongs to the network namespace of the process that made it, for
// good. So init makes one when srun asks, and srun connects it from outside.

// socketReply is init's answer to ctlSocket.
type socketReply struct {
	fds   []int
	errno int32
}

// dialWait bounds how long a listener inside may leave a connection waiting, in
// seconds.
const dialWait = 10

// Dial connects to a TCP port of the sandbox's localhost.
func (p *Process) Dial(port uint16) (net.Conn, error) {
	conn, err := p.dial(unix.AF_INET, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET) {
		if six, err := p.dial(unix.AF_INET6, &unix.SockaddrInet6{Port: int(port), Addr: [16]byte{15: 1}}); err == nil {
			return six, nil
		}
	}
	return conn, err
}

func (p *Process) dial(family int32, to unix.Sockaddr) (net.Conn, error) {
	fd, err := p.socket(family)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "published")
	defer file.Close()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: dialWait}); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Connect(fd, to); err != nil {
		return nil, os.NewSyscallError("connect", err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{}); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	return net.FileConn(file)
}

// socket asks init for a TCP socket, one at a time.
func (p *Process) socket(family int32) (int, error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	if err := p.tell(message{kind: ctlSocket, a: family}); err != nil {
		return -1, err
	}
	select {
	case r := <-p.sockets:
		if len(r.fds) == 1 {
			return r.fds[0], nil
		}
		closeFDs(r.fds...)
		return -1, fmt.Errorf("socket inside: %w", unix.Errno(r.errno))
	case <-p.done:
		return -1, net.ErrClosed
	}
}
