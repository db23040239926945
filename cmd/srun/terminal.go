package main

import "golang.org/x/sys/unix"

// questionMode is line editing with the usual keys and nothing else, whatever the
// command made of the terminal: with keys of its own choice it could make an answer of
// what the terminal sends by itself. Where the command reads key by key the question
// has no echo; full tells that.
func questionMode(t unix.Termios, full bool) *unix.Termios {
	t.Iflag = unix.ICRNL
	t.Oflag = unix.OPOST | unix.ONLCR
	t.Lflag = unix.ICANON | unix.ISIG
	if !full {
		t.Lflag |= unix.ECHO | unix.ECHOE | unix.ECHOK
	}
	for i := range t.Cc {
		t.Cc[i] = noKey
	}
	t.Cc[unix.VERASE], t.Cc[unix.VKILL], t.Cc[unix.VINTR], t.Cc[unix.VEOF] = 0x7f, 0x15, 0x03, 0x04
	t.Cc[unix.VQUIT], t.Cc[unix.VSUSP], t.Cc[unix.VMIN] = 0x1c, 0x1a, 1
	return &t
}
