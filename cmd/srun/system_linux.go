package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	pathOnly   = unix.O_PATH // of a descriptor, open(2)
	goos       = "linux"
	managedDir = "/etc/srun"
)

// openWorkDir opens the directory that srun runs in, whatever its name is by
// now, and also one that may not be read.
func openWorkDir() (*os.File, error) {
	fd, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "."), nil
}

// runsFile is where runs at the same time know of each other: in memory, under a
// name that has the user's number, and no variable decides where, which another
// run may have otherwise.
func runsFile() string {
	dir := "/dev/shm"
	if unix.Access(dir, unix.W_OK) != nil {
		dir = fmt.Sprintf("/run/user/%d", os.Getuid())
	}
	return fmt.Sprintf("%s/srun-runs-%d", dir, os.Getuid())
}

// dieOf ends srun by a signal, without a core of its own. It returns where that
// signal ends nothing: that is so for PID 1.
func dieOf(sig syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// struct sigaction of the kernel, all zero: SIG_DFL. Package os/signal gives a
	// signal that the runtime handles back to the runtime.
	var byDefault [4]uint64
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
	var none unix.Sigset_t
	unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
	unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
}
