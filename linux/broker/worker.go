//go:build linux

package broker

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// mostAtOnce bounds the workers that deal with calls at the same time, but for
// slow ones: more would only take processors from the command.
var mostAtOnce = int32(max(1, runtime.NumCPU()/2))

// worker is a thread that deals with one call after another. It has a working
// directory and a umask of its own, and no capability.
type worker struct {
	*Broker
	buf   []byte
	umask int
	tasks map[int]*task
	busy  atomic.Int64  // since when it deals with a call, in nanoseconds; 0: it does not
	wake  chan struct{} // it is its turn
}

// Times of the pool of workers.
const (
	idleTime = 200 * time.Millisecond // without a call, until a thread goes
	slowTime = time.Millisecond       // for a call, until another worker takes the next
	// mostWorkers bounds the threads that hang in calls on a file system which
	// does not answer.
	mostWorkers = 1000
)

// enter makes the calling goroutine's thread a worker for good: the thread ends
// with the goroutine.
func (b *Broker) enter(w *worker) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	// A signal in the middle of handing in a descriptor would leave the caller with
	// a result of 0 and no descriptor (seccomp_notify_addfd in the kernel).
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &all, nil); err != nil {
		return os.NewSyscallError("rt_sigprocmask", err)
	}
	w.Broker, w.buf, w.tasks = b, make([]byte, unix.PathMax), map[int]*task{}
	w.umask = unix.Umask(0)
	unix.Umask(w.umask)
	return nil
}

// dropCapabilities gives up what root's command has not got either. Threads have
// capabilities each (capabilities(7)).
func dropCapabilities() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&head, &none[0]); err != nil {
		return fmt.Errorf("drop a thread's capabilities: %w", err)
	}
	return nil
}

func (w *worker) setUmask(mask int) {
	if mask != w.umask {
		unix.Umask(mask)
		w.umask = mask
	}
}

// serve deals with calls, one worker at a time, until none came for a while or
// nobody is left who could make one. A worker that waits for its turn costs the
// others nothing, where each of several that wait for calls would be woken by
// every one.
func (w *worker) serve() (ended bool) {
	fds := []unix.PollFd{{Fd: int32(w.notify), Events: unix.POLLIN}}
	for w.turn() {
		n, err := unix.Poll(fds, int(idleTime/time.Millisecond))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || n > 0 && fds[0].Revents&unix.POLLIN == 0:
			return true
		case n == 0:
			return false
		}
		c := call{worker: w}
		if receive(w.notify, &c.note) != 0 {
			continue
		}
		w.busy.Store(time.Now().UnixNano())
		if w.dealing.Add(1) < mostAtOnce {
			if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
				w.promote(w)
			}
		}
		c.deal()
		c.closeKept()
		w.dealing.Add(-1)
		w.busy.Store(0)
	}
	return false
}
