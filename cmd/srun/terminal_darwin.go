package main

import "golang.org/x/sys/unix"

// setLineMode switches to cooked mode and drops pending input (TIOCSETAF).
func setLineMode(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TIOCGETA)
	if err != nil {
		return err
	}
	t.Iflag |= unix.ICRNL
	t.Oflag |= unix.OPOST | unix.ONLCR
	t.Lflag |= unix.ICANON | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ISIG
	return unix.IoctlSetTermios(fd, unix.TIOCSETAF, t)
}
