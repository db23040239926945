package main

import "golang.org/x/sys/unix"

// The requests of termios(3) tcgetattr, and tcsetattr with TCSAFLUSH.
const (
	getTermios      = unix.TCGETS
	setTermiosFlush = unix.TCSETSF
)
