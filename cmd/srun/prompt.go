package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"srun/launcher"
)

// terminalAsker puts questions to the user on the controlling terminal, which
// it shares with the running command.
type terminalAsker struct {
	print *printer
	// keep writes the host to the local settings, for "don't ask again".
	keep func(launcher.Question)
	// cmd is stopped while the question is on the screen.
	cmd *launcher.Cmd
}

const answerTime = 60 * time.Second

func questionText(q launcher.Question) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nNetwork request outside of sandbox\n  Host: %s", q.Target)
	if q.Process.PID != 0 {
		fmt.Fprintf(&b, "   (%s, pid %d)", q.Process.Command, q.Process.PID)
	}
	fmt.Fprintf(&b, "\n  1. Yes   2. Yes, and don't ask again for %s   3. No\n> ", q.Target.Host)
	return b.String()
}

// Ask returns the user's answer, or Deny when there is none in time.
func (t *terminalAsker) Ask(ctx context.Context, q launcher.Question) launcher.Answer {
	tty, group, err := t.openTerminal()
	if err != nil {
		t.print.line("cannot ask about %s: %v", q.Target, err)
		return launcher.Deny
	}
	defer tty.Close()
	resume, err := t.cmd.Pause()
	if err != nil {
		return launcher.Deny
	}
	defer resume()
	if group != unix.Getpgrp() {
		if err := setForeground(tty, unix.Getpgrp()); err != nil {
			t.print.line("cannot ask about %s: %v", q.Target, err)
			return launcher.Deny
		}
		defer setForeground(tty, group)
	}
	restore, err := plainMode(tty)
	if err != nil {
		return launcher.Deny
	}
	defer restore()
	t.print.mu.Lock() // no line of ours in the middle of the question
	answer, answered := converse(ctx, tty, q)
	t.print.mu.Unlock()
	if !answered {
		t.print.line("no answer for %s, which counts as no", q.Target)
	}
	if answer.Keep {
		t.keep(q)
	}
	return answer
}

// openTerminal opens the controlling terminal, if srun may read it now: its own
// process group must be in the foreground, or a job of a shell inside.
func (t *terminalAsker) openTerminal() (tty *os.File, foreground int, err error) {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, 0, err
	}
	tty = os.NewFile(uintptr(fd), "/dev/tty")
	foreground, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err == nil && foreground != unix.Getpgrp() && !t.cmd.HasGroup(foreground) {
		err = errors.New("srun is not in the terminal's foreground")
	}
	if err != nil {
		tty.Close()
		return nil, 0, err
	}
	return tty, foreground, nil
}

// plainMode sets line editing, echo and signals for the question, whatever the
// command did to the terminal, and throws away what was typed before.
func plainMode(tty *os.File) (restore func(), err error) {
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	if err := setLineMode(fd); err != nil {
		return nil, err
	}
	return func() { term.Restore(fd, before) }, nil
}

// converse asks until the answer is one of the three.
func converse(ctx context.Context, tty *os.File, q launcher.Question) (a launcher.Answer, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	tty.WriteString(questionText(q))
	for {
		line, err := readLine(ctx, int(tty.Fd()))
		if err != nil {
			tty.WriteString("\n")
			return launcher.Deny, false
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "1", "y", "yes":
			return launcher.AllowOnce, true
		case "2":
			return launcher.AllowAlways, true
		case "3", "n", "no":
			return launcher.Deny, true
		}
		tty.WriteString("Please answer 1, 2 or 3\n> ")
	}
}

// readLine reads up to a newline, looking every moment whether ctx is over.
func readLine(ctx context.Context, fd int) (string, error) {
	var line []byte
	buf := make([]byte, 256)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if err := ctx.Err(); err != nil {
			return "", err
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
