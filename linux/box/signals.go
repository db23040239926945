//go:build linux

package box

/*
#include "signals.h"
*/
import "C"

import (
	"os"
	"sync"
	"syscall"
)

// caught are the process's signals that somebody takes.
var caught struct {
	sync.Mutex
	pipe  *waiter
	takes map[syscall.Signal][]chan<- os.Signal
}

// Catch relays signals to a channel as signal.Notify does, for the life of the
// process. A signal that both catch reaches only this one.
func Catch(c chan<- os.Signal, sigs ...syscall.Signal) error {
	caught.Lock()
	defer caught.Unlock()
	if caught.pipe == nil {
		if err := openCaught(); err != nil {
			return err
		}
	}
	for _, sig := range sigs {
		if len(caught.takes[sig]) == 0 {
			if errno := C.srun_catch(C.int(sig)); errno != 0 {
				return os.NewSyscallError("sigaction", syscall.Errno(errno))
			}
		}
		caught.takes[sig] = append(caught.takes[sig], c)
	}
	return nil
}

// openCaught makes the pipe; it stays for the life of the process.
func openCaught() error {
	fd, err := C.srun_signal_pipe()
	if fd < 0 {
		return os.NewSyscallError("pipe2", err)
	}
	pipe, err := newWaiter(int(fd), "signals")
	if err != nil {
		return err
	}
	caught.pipe, caught.takes = pipe, map[syscall.Signal][]chan<- os.Signal{}
	go relay(pipe)
	return nil
}

func relay(pipe *waiter) {
	buf := make([]byte, 64)
	for {
		n, err := pipe.file.Read(buf)
		if err != nil {
			return
		}
		for _, b := range buf[:n] {
			deliver(syscall.Signal(b))
		}
	}
}

// deliver drops a signal that its taker has no room for, as package os/signal
// does.
func deliver(sig syscall.Signal) {
	caught.Lock()
	defer caught.Unlock()
	for _, c := range caught.takes[sig] {
		select {
		case c <- sig:
		default:
		}
	}
}
