//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

func closeFDs(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// takeListeners names the descriptors that came with "ready": one per bit of
// the set, lowest first (init.h, LISTEN_*).
func takeListeners(set int32, fds []int) (l Listeners, diag int, err error) {
	diag = -1
	if n := len(fds); n > 0 && set&C.LISTEN_DIAG != 0 {
		diag, fds = fds[n-1], fds[:n-1]
	}
	for bit := int32(1); bit <= C.LISTEN_DNSTCP6; bit <<= 1 {
		if set&bit == 0 {
			continue
		}
		if len(fds) == 0 {
			closeFDs(diag)
			return l, -1, fmt.Errorf("take the listeners: fewer than promised")
		}
		if err := l.take(bit, fds[0]); err != nil {
			closeFDs(append(fds[1:], diag)...)
			l.Close()
			return Listeners{}, -1, err
		}
		fds = fds[1:]
	}
	return l, diag, nil
}

// take wraps one descriptor and closes it: package net keeps a duplicate.
func (l *Listeners) take(bit int32, fd int) error {
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	if bit == C.LISTEN_DNS4 || bit == C.LISTEN_DNS6 {
		pc, err := net.FilePacketConn(f)
		if err == nil {
			l.DNS = append(l.DNS, pc)
		}
		return err
	}
	ln, err := net.FileListener(f)
	if err != nil {
		return err
	}
	switch bit {
	case C.LISTEN_PROXY:
		l.Proxy = ln
	case C.LISTEN_TRANSPARENT4, C.LISTEN_TRANSPARENT6:
		l.Transparent = append(l.Transparent, ln)
	default:
		l.DNSTCP = append(l.DNSTCP, ln)
	}
	return nil
}

func (l *Listeners) takeForward(port uint16, fd int) error {
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return err
	}
	if l.Forward == nil {
		l.Forward = make(map[uint16]net.Listener)
	}
	l.Forward[port] = ln
	return nil
}

// Close closes them all.
func (l *Listeners) Close() {
	if l.Proxy != nil {
		l.Proxy.Close()
	}
	for _, ln := range l.Transparent {
		ln.Close()
	}
	for _, pc := range l.DNS {
		pc.Close()
	}
	for _, ln := range l.DNSTCP {
		ln.Close()
	}
	for _, ln := range l.Forward {
		ln.Close()
	}
}
