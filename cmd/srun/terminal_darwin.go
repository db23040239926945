package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// noKey is _POSIX_VDISABLE (termios(4)).
const noKey = 0xff

// The requests of termios(3) tcgetattr, and tcsetattr with TCSAFLUSH.
const (
	getTermios      = unix.TIOCGETA
	setTermiosFlush = unix.TIOCSETAF
)

// setForeground makes a process group the terminal's foreground. Who is not in
// the foreground is stopped for it, unless SIGTTOU is ignored (tcsetpgrp(3)).
func setForeground(tty *os.File, group int) error {
	signal.Ignore(unix.SIGTTOU)
	defer signal.Reset(unix.SIGTTOU)
	return os.NewSyscallError("tcsetpgrp", unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group))
}
