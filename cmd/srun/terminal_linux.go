package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// noKey is _POSIX_VDISABLE (termios(3)).
const noKey = 0

// The requests of termios(3) tcgetattr, and tcsetattr with TCSAFLUSH.
const (
	getTermios      = unix.TCGETS
	setTermiosFlush = unix.TCSETSF
)

// setForeground makes a process group the terminal's foreground. Who is not in
// the foreground is stopped for it, unless SIGTTOU is blocked (tcsetpgrp(3)).
func setForeground(tty *os.File, group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block, before unix.Sigset_t
	block.Val[0] = 1 << (uint(unix.SIGTTOU) - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &before); err != nil {
		return os.NewSyscallError("sigprocmask", err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	return os.NewSyscallError("tcsetpgrp", unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group))
}
