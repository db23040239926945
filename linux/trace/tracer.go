//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/cgo"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"srun/linux/internal/procfs"
	"srun/linux/plan"
)

/*
#cgo CFLAGS: -O2 -Wall -Wextra -Wshadow -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#include "thread.h"
*/
import "C"

// Tracer watches the file operations of a command and of everything that it
// starts (ptrace(2)). A filter stops them at each call of filter.Traced; the
// call runs, and one that failed as the sandbox makes calls fail is judged. The
// tracer changes nothing: what it does not understand goes on as it was.
type Tracer struct {
	root   int // the command's process id
	judge  *Judge
	denied func(Denial)
	ready  chan error
	done   chan struct{}
	calls  map[int]syscallInfo // that a thread is in

	mu      sync.Mutex
	stopped map[int]bool // threads that a signal stopped
}

const traceOptions = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

// New returns one that tells of what was denied; denied may be nil.
func New(p *plan.Plan, denied func(Denial)) *Tracer {
	return &Tracer{
		judge: NewJudge(p), denied: denied, ready: make(chan error, 1), done: make(chan struct{}),
		calls: map[int]syscallInfo{}, stopped: map[int]bool{},
	}
}

// Attach attaches to the command's process, which waits to execve: the only child
// of the sandbox's first process.
func (t *Tracer) Attach(init int) (err error) {
	if t.root, err = onlyChild(init); err != nil {
		return traceError(err)
	}
	handle := cgo.NewHandle(t)
	if r := C.srun_trace_start(C.uintptr_t(handle)); r != 0 {
		handle.Delete()
		return traceError(os.NewSyscallError("pthread_create", syscall.Errno(r)))
	}
	if err := <-t.ready; err != nil {
		return traceError(err)
	}
	return nil
}

func traceError(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("trace the command: %w; the sysctl kernel.yama.ptrace_scope may be 3, or srun itself is confined", err)
	}
	return fmt.Errorf("trace the command: %w", err)
}

// onlyChild finds the command's process by its parent, init.
func onlyChild(parent int) (int, error) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err == nil && procfs.Parent(pid) == parent {
			return pid, nil
		}
	}
	return 0, errors.New("its process is not in /proc")
}

//export srunTrace
func srunTrace(handle C.uintptr_t) {
	h := cgo.Handle(handle)
	t := h.Value().(*Tracer)
	h.Delete()
	t.run()
}

// run lasts until the last process is gone. When srun dies, so does this
// thread, and the kernel kills what it traced.
func (t *Tracer) run() {
	defer close(t.done)
	err := ptrace(unix.PTRACE_SEIZE, t.root, 0, traceOptions)
	t.ready <- err
	for err == nil || err == unix.EINTR {
		var pid int
		var status unix.WaitStatus
		pid, status, err = t.next()
		switch {
		case err != nil:
		case pid == 0:
			err = unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|ownTracees, nil)
		case status.Stopped():
			t.stop(pid, status)
		default:
			delete(t.calls, pid)
		}
	}
}

// ownTracees has wait4 find what this thread traces. It has no children.
const ownTracees = unix.WALL | unix.WNOTHREAD

// next takes the next stop or end, 0 when there is none yet.
func (t *Tracer) next() (pid int, status unix.WaitStatus, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pid, err = unix.Wait4(-1, &status, unix.WNOHANG|ownTracees, nil)
	switch {
	case err != nil || pid == 0:
	case status.Stopped() && isGroupStop(status):
		t.stopped[pid] = true
	default:
		delete(t.stopped, pid)
	}
	return pid, status, err
}

// Wait returns when every denial was told.
func (t *Tracer) Wait() { <-t.done }

// Holds tells whether a process that /proc calls traced is stopped by a signal.
// SIGCONT makes it run and stop anew, which the tracer may not have seen yet.
func (t *Tracer) Holds(pid int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var news unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &news, unix.WEXITED|unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	return t.stopped[pid] && err == nil && news.Signo == 0
}

func ptrace(request, pid int, addr, data uintptr) error {
	if _, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(pid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
