//go:build linux

package trace

import (
	"golang.org/x/sys/unix"

	"srun/linux/internal/procfs"
)

const (
	eventSeccomp = unix.PTRACE_EVENT_SECCOMP
	eventExec    = unix.PTRACE_EVENT_EXEC
	eventStop    = unix.PTRACE_EVENT_STOP
	syscallStop  = unix.SIGTRAP | 0x80 // PTRACE_O_TRACESYSGOOD
)

// stop lets a stopped thread go on, in the way that its stop asks for. An error
// is that it was killed meanwhile: wait4 tells.
func (t *Tracer) stop(pid int, status unix.WaitStatus) {
	sig, event := status.StopSignal(), int(status)>>16
	switch {
	case event == eventSeccomp:
		if info, ok := readSyscall(pid); ok && info.op == infoSeccomp {
			t.calls[pid] = info
			ptrace(unix.PTRACE_SYSCALL, pid, 0, 0)
			return
		}
		ptrace(unix.PTRACE_CONT, pid, 0, 0)
	case sig == syscallStop:
		t.returned(pid)
		ptrace(unix.PTRACE_CONT, pid, 0, 0)
	case isGroupStop(status):
		// A group stop: the thread stays stopped until SIGCONT, as untraced, and
		// its parent is told.
		ptrace(unix.PTRACE_LISTEN, pid, 0, 0)
	case event == eventExec:
		t.executed(pid)
		ptrace(unix.PTRACE_CONT, pid, 0, 0)
	case event != 0:
		ptrace(unix.PTRACE_CONT, pid, 0, 0)
	default:
		ptrace(unix.PTRACE_CONT, pid, 0, uintptr(sig))
	}
}

func isGroupStop(status unix.WaitStatus) bool {
	return int(status)>>16 == eventStop && status.StopSignal() != unix.SIGTRAP
}

// executed forgets the call of a thread that became another program. It has its
// process's number now, whichever it had.
func (t *Tracer) executed(pid int) {
	delete(t.calls, pid)
	if former, err := unix.PtraceGetEventMsg(pid); err == nil {
		delete(t.calls, int(former))
	}
}

// returned judges a call that has ended. The caller waits meanwhile, so that
// what its arguments point at still is what it called with, but for another
// thread's doing.
func (t *Tracer) returned(pid int) {
	call, ok := t.calls[pid]
	delete(t.calls, pid)
	if !ok {
		return
	}
	info, ok := readSyscall(pid)
	if !ok || info.op != infoExit {
		return
	}
	result := int64(info.nr)
	if result >= 0 || !refusals[unix.Errno(-result)] {
		return
	}
	for _, d := range t.judge.call(pid, call, unix.Errno(-result)) {
		d.PID, d.Command = procfs.Leader(pid), procfs.Command(pid)
		if t.denied != nil {
			t.denied(d)
		}
	}
}
