//go:build linux

package trace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// syscallInfo is struct ptrace_syscall_info of ptrace(2), Linux 5.3.
type syscallInfo struct {
	op   uint8
	_    [3]uint8
	arch uint32
	_    [2]uint64
	nr   uint64 // at the end of a call: its result
	args [6]uint64
	_    uint64
}

const (
	getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	infoExit       = 2      // PTRACE_SYSCALL_INFO_EXIT
	infoSeccomp    = 3      // PTRACE_SYSCALL_INFO_SECCOMP
)

func readSyscall(pid int) (info syscallInfo, ok bool) {
	size := unsafe.Sizeof(info)
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(pid), size, uintptr(unsafe.Pointer(&info)), 0, 0)
	return info, errno == 0
}
