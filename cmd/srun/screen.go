package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"srun/launcher"
)

// screen is the terminal while a question is on it. A program that reads keys one
// by one most likely fills the screen, so there the question takes the last line
// alone, and the program is told to draw anew. There, too, an answer ends with a
// newline, which is in no reply of a terminal's: the end of one could come after what
// was typed before was thrown away.
type screen struct {
	tty    *os.File
	before *unix.Termios
	during *unix.Termios
	full   bool
	group  int // of the program
}

// openScreen sets line editing, echo and signals for the question, whatever the
// command did to the terminal, and throws away what was typed before.
func openScreen(tty *os.File, group int) (*screen, error) {
	fd := int(tty.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	full := before.Lflag&unix.ICANON == 0
	if err := unix.IoctlSetTermios(fd, setTermiosFlush, questionMode(*before, full)); err != nil {
		return nil, err
	}
	during, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	return &screen{tty, before, during, full, group}, nil
}

// untouched reports that the terminal is still set as it was for the question.
func (s *screen) untouched() bool {
	now, err := unix.IoctlGetTermios(int(s.tty.Fd()), getTermios)
	return err == nil && *now == *s.during
}

func (s *screen) restore() {
	if s.full {
		s.tty.WriteString("\r\x1b[K\x1b8") // the line away, the cursor back (ECMA-48, DECRC)
	}
	unix.IoctlSetTermios(int(s.tty.Fd()), setTermiosFlush, s.before) // keys that were too many are not the program's
	if s.full {
		unix.Kill(-s.group, unix.SIGWINCH)
	}
}

// plain undoes what could hide a question: what was begun and not ended (ECMA-48, CAN
// and ST), attributes, character sets, colours (xterm's OSC 104, 110, 111), a region
// that scrolls, a picture that is held back (DEC private modes 6 and 2026). The cursor
// stays.
const plain = "\x18\x1b\\\x1b[?2026l\x1b[0m\x1b(B\x0f\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b7\x1b[?6l\x1b[r\x1b8"

func (s *screen) show(q launcher.Question) {
	s.tty.WriteString(plain)
	if !s.full {
		s.tty.WriteString(questionText(q))
		return
	}
	size, err := unix.IoctlGetWinsize(int(s.tty.Fd()), unix.TIOCGWINSZ)
	line := questionLine(q)
	if err == nil && size.Col > 1 && len(line) >= int(size.Col) {
		line = line[:size.Col-1]
	}
	s.tty.WriteString("\x1b7\x1b[999;1H\x1b[2K" + line) // DECSC, to the last line
}

func (s *screen) again() {
	if !s.full {
		s.tty.WriteString("Please answer 1, 2 or 3\n> ")
	}
}

func (s *screen) end() {
	if !s.full {
		s.tty.WriteString("\n")
	}
}

func asker(q launcher.Question) string {
	if q.Process.PID == 0 {
		return ""
	}
	return fmt.Sprintf("   (%s, pid %d)", q.Process.Command, q.Process.PID)
}

func questionText(q launcher.Question) string {
	return fmt.Sprintf("\nNetwork request outside of sandbox\n  Host: %s%s\n"+
		"  1. Yes   2. Yes, and don't ask again for %s   3. No\n> ", q.Target, asker(q), q.Target.Host)
}

func questionLine(q launcher.Question) string {
	return fmt.Sprintf("Network request outside of sandbox: %s   1. Yes   2. Yes, and don't ask again   3. No > ", q.Target)
}

// read reads up to a newline, looking every moment whether ctx is over
// or ^C was pressed.
func (s *screen) read(ctx context.Context, interrupted <-chan struct{}) (string, error) {
	var line []byte
	buf := make([]byte, 256)
	fd := int(s.tty.Fd())
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		select {
		case <-interrupted:
			return "", errInterrupted
		case <-ctx.Done():
			return "", ctx.Err()
		default:
		}
		n, err := unix.Poll(poll, 100)
		if err == unix.EINTR || err == nil && n == 0 {
			continue
		}
		if err != nil {
			return "", err
		}
		n, err = unix.Read(fd, buf)
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		if err != nil || n == 0 {
			return "", fmt.Errorf("read the terminal: %w", err)
		}
		line = append(line, buf[:n]...)
		if i := strings.IndexByte(string(line), '\n'); i >= 0 {
			return string(line[:i]), nil
		}
	}
}

// withoutEscapes leaves out what a terminal itself sends: answers to a program's
// questions, keys that are not characters, and moves of a mouse (ECMA-48, 5.4 and
// 5.6).
func withoutEscapes(line string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "\x1b")
		b.WriteString(before)
		if !found || rest == "" {
			return b.String()
		}
		switch rest[0] {
		case '[':
			i := 1
			for i < len(rest) && rest[i] < 0x40 {
				i++
			}
			line = rest[min(i+1, len(rest)):]
		case ']', 'P', '_', '^', 'X': // up to ST or BEL
			i := strings.IndexAny(rest, "\a\x1b")
			if i < 0 {
				return b.String()
			}
			line = strings.TrimPrefix(rest[i+1:], "\\")
		case 'O':
			line = rest[min(2, len(rest)):]
		default:
			line = rest[1:]
		}
	}
}
