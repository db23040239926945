package main

import "golang.org/x/sys/unix"

// setQuestionMode switches to cooked mode with the usual keys, whatever the
// command made of them, and drops pending input. Where the command reads key by
// key the question has no echo; full tells that.
func setQuestionMode(fd int) (full bool, err error) {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return false, err
	}
	full = t.Lflag&unix.ICANON == 0
	t.Iflag |= unix.ICRNL
	t.Oflag |= unix.OPOST | unix.ONLCR
	t.Cc[unix.VERASE], t.Cc[unix.VKILL], t.Cc[unix.VINTR], t.Cc[unix.VEOF] = 0x7f, 0x15, 0x03, 0x04
	t.Cc[unix.VEOL], t.Cc[unix.VQUIT], t.Cc[unix.VSUSP] = 0, 0x1c, 0x1a
	t.Lflag |= unix.ICANON | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ISIG
	if full {
		t.Lflag &^= unix.ECHO
	}
	return full, unix.IoctlSetTermios(fd, setTermiosFlush, t)
}
