//go:build linux

package box

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A socket belongs to the network namespace of the process that made it, for
// good. So init makes one when srun asks, and srun connects it from outside, or
// listens on it.

// socketReply is init's answer to ctlSocket.
type socketReply struct {
	fds   []int
	errno int32
}

// dialWait bounds how long a listener inside may leave a connection waiting.
const dialWait = 10 * time.Second

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
	// The command decides how long its listener makes this wait: not in a system
	// call, where each connection would hold a thread.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "published")
	defer file.Close()
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		return nil, os.NewSyscallError("connect", err)
	}
	if err := connected(file); err != nil {
		return nil, err
	}
	return net.FileConn(file)
}

// connected waits until a socket's connect has come to an end.
func connected(file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	if err := file.SetWriteDeadline(time.Now().Add(dialWait)); err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		errno, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if failed = err; err == nil && errno != 0 {
			failed = unix.Errno(errno)
		}
		if failed != nil {
			return true
		}
		_, err = unix.Getpeername(int(fd))
		return err != unix.ENOTCONN
	})
	return errors.Join(err, os.NewSyscallError("connect", failed))
}

// Forward makes a port of the sandbox's 127.0.0.1 one of the listeners, as
// Config.Forward does before the command runs.
func (p *Process) Forward(port uint16) error {
	fd, err := p.socket(unix.AF_INET)
	if err != nil {
		return err
	}
	if err := listenOn(fd, port); err != nil {
		unix.Close(fd)
		return fmt.Errorf("listen on the sandbox's 127.0.0.1:%d: %w", port, err)
	}
	return p.Listeners.add(ListenForward, port, fd)
}

func listenOn(fd int, port uint16) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	return unix.Listen(fd, unix.SOMAXCONN)
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
