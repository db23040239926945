//go:build linux

package box

/*
#include "network.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

func closeFDs(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Kind is what a listener is for.
type Kind int

// The listeners of a run. Those of an address family that the kernel lacks are
// not there.
const (
	ListenProxy       Kind = iota // the explicit proxy
	ListenTransparent             // redirected TCP
	ListenDNS                     // UDP
	ListenDNSTCP
	ListenForward // a port of the sandbox's 127.0.0.1
)

// Listener is one that somebody has called for the first time: Stream is set,
// or Packet for ListenDNS.
type Listener struct {
	Kind   Kind
	Port   uint16 // of ListenForward
	Stream net.Listener
	Packet net.PacketConn
}

// Listeners are bound inside the sandbox and accepted on outside. They stay
// plain descriptors until they are first called: most commands never use the
// network, and all that a net.Listener brings costs them half a millisecond.
type Listeners struct {
	mu     sync.Mutex
	sleep  []sleeper
	called *waiter // an epoll(7) descriptor with those that sleep
	closed bool
	taken  atomic.Bool // one was called
	moving bool        // and is not with who serves it yet

	forwarded []uint16 // ports of ListenForward
}

type sleeper struct {
	kind Kind
	port uint16
	fd   int
}

var listenKinds = map[int32]Kind{
	C.LISTEN_PROXY:        ListenProxy,
	C.LISTEN_TRANSPARENT4: ListenTransparent, C.LISTEN_TRANSPARENT6: ListenTransparent,
	C.LISTEN_DNS4: ListenDNS, C.LISTEN_DNS6: ListenDNS,
	C.LISTEN_DNSTCP4: ListenDNSTCP, C.LISTEN_DNSTCP6: ListenDNSTCP,
}

// takeListeners names the descriptors that came with "ready": one per bit of
// the set, lowest first (network.h, LISTEN_*).
func takeListeners(set int32, fds []int) (l *Listeners, err error) {
	l = &Listeners{}
	if l.called, err = newPoller(); err != nil {
		closeFDs(fds...)
		return nil, err
	}
	for bit := int32(1); bit <= C.LISTEN_DNSTCP6; bit <<= 1 {
		if set&bit == 0 {
			continue
		}
		if len(fds) == 0 {
			l.Close()
			return nil, fmt.Errorf("take the listeners: fewer than promised")
		}
		if err := l.add(listenKinds[bit], 0, fds[0]); err != nil {
			closeFDs(fds[1:]...)
			l.Close()
			return nil, err
		}
		fds = fds[1:]
	}
	return l, nil
}

func newPoller() (*waiter, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return newWaiter(fd, "listeners")
}

// add takes over the descriptor.
func (l *Listeners) add(kind Kind, port uint16, fd int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		unix.Close(fd)
		return net.ErrClosed
	}
	l.sleep = append(l.sleep, sleeper{kind, port, fd})
	if kind == ListenForward {
		l.forwarded = append(l.forwarded, port)
	}
	err := unix.EpollCtl(l.called.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

// Serve hands each listener to open when it is first called, and returns after
// Close, or with an error that leaves the rest unserved.
func (l *Listeners) Serve(open func(Listener)) error {
	events := make([]unix.EpollEvent, 4)
	for {
		var n int
		var failed error
		err := l.called.wait(func(fd int) bool {
			n, failed = unix.EpollWait(fd, events, 0)
			return n > 0 || failed != nil && failed != unix.EINTR
		})
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil || failed != nil:
			return errors.Join(err, os.NewSyscallError("epoll_wait", failed))
		}
		for _, e := range events[:n] {
			s, ok := l.take(int(e.Fd))
			if !ok {
				return nil
			}
			err := s.open(open)
			l.moved()
			if err != nil {
				return err
			}
		}
	}
}

// Called reports that somebody has called one of them.
func (l *Listeners) Called() bool { return l.taken.Load() || l.Waiting() }

// Waiting reports that one is called which was not opened yet.
func (l *Listeners) Waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.moving {
		return !l.closed
	}
	n, err := unix.EpollWait(l.called.fd, make([]unix.EpollEvent, 1), 0)
	return n > 0 && err == nil
}

func (l *Listeners) moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moving = false
}

// take removes one that was called.
func (l *Listeners) take(fd int) (sleeper, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range l.sleep {
		if s.fd == fd && !l.closed {
			l.taken.Store(true)
			l.moving = true
			l.sleep = append(l.sleep[:i:i], l.sleep[i+1:]...)
			unix.EpollCtl(l.called.fd, unix.EPOLL_CTL_DEL, fd, nil) // it is open elsewhere, too: closing alone leaves it there
			return s, true
		}
	}
	return sleeper{}, false
}

// open wraps the descriptor and closes it: package net keeps a duplicate.
func (s sleeper) open(open func(Listener)) error {
	f := os.NewFile(uintptr(s.fd), "listener")
	defer f.Close()
	made := Listener{Kind: s.kind, Port: s.port}
	var err error
	if s.kind == ListenDNS {
		made.Packet, err = net.FilePacketConn(f)
	} else {
		made.Stream, err = net.FileListener(f)
	}
	if err != nil {
		return fmt.Errorf("open a listener: %w", err)
	}
	open(made)
	return nil
}

// Close closes those that nobody called. The others belong to who got them.
func (l *Listeners) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for _, s := range l.sleep {
		unix.Close(s.fd)
	}
	l.called.close()
}
