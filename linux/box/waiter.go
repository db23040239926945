//go:build linux

package box

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// waiter waits for a descriptor to become readable without a thread of its own:
// each thread that sits in a system call costs a run's start and end a tenth of
// a millisecond. It owns the descriptor.
type waiter struct {
	file   *os.File
	raw    syscall.RawConn
	fd     int
	closed atomic.Bool
}

func newWaiter(fd int, name string) (*waiter, error) {
	// Only a descriptor that does not block is given to the runtime's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &waiter{file: os.NewFile(uintptr(fd), name), fd: fd}
	var err error
	if w.raw, err = w.file.SyscallConn(); err != nil {
		w.file.Close()
		return nil, err
	}
	return w, nil
}

// wait calls try until it returns true, each time that something came. It
// returns os.ErrClosed after close.
func (w *waiter) wait(try func(fd int) bool) error {
	err := w.raw.Read(func(fd uintptr) bool { return try(int(fd)) })
	if err != nil && w.closed.Load() {
		return os.ErrClosed // RawConn has an error of its own for it
	}
	return err
}

func (w *waiter) close() error {
	w.closed.Store(true)
	return w.file.Close()
}

// receive reads one message and the descriptors that came with it. An end of
// file is reported as io.EOF would be: kind 0 and no error.
func (w *waiter) receive() (m message, fds []int, err error) {
	buf := make([]byte, messageSize)
	oob := make([]byte, unix.CmsgSpace(4*maxFDs))
	var n, oobn int
	var failed error
	err = w.wait(func(fd int) bool {
		for {
			n, oobn, _, _, failed = unix.Recvmsg(fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
			switch failed {
			case unix.EINTR:
			case unix.ECONNRESET: // init ended with a signal unread; what it said before follows
			default:
				return failed != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return message{}, nil, err
	case failed != nil:
		return message{}, nil, os.NewSyscallError("recvmsg", failed)
	case n == 0:
		return message{}, nil, nil
	case n < messageSize:
		return message{}, nil, fmt.Errorf("read from init: message of %d bytes, want %d", n, messageSize)
	}
	fds, err = parseRights(oob[:oobn])
	return decodeMessage(buf), fds, err
}
