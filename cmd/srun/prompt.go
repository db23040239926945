package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

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
	// interrupted has something when ^C was pressed.
	interrupted <-chan struct{}
}

const answerTime = 60 * time.Second

// Ask returns the user's answer, or Deny when there is none in time.
func (t *terminalAsker) Ask(ctx context.Context, q launcher.Question) launcher.Answer {
	tty, group, err := t.openTerminal()
	if err != nil {
		t.print.line("cannot ask about %s: %v", q.Target, err)
		return launcher.Deny
	}
	defer tty.Close()
	pause, err := t.cmd.Pause()
	if err != nil {
		return launcher.Deny
	}
	defer pause.Resume()
	if group != unix.Getpgrp() {
		if err := setForeground(tty, unix.Getpgrp()); err != nil {
			t.print.line("cannot ask about %s: %v", q.Target, err)
			return launcher.Deny
		}
		defer setForeground(tty, group)
	}
	s, err := openScreen(tty, group)
	if err != nil {
		return launcher.Deny
	}
	defer s.restore()
	t.print.mu.Lock() // no line of ours in the middle of the question
	answer, answered := t.converse(ctx, s, q)
	t.print.mu.Unlock()
	switch {
	case !answered:
		t.print.line("no answer for %s, which counts as no", q.Target)
	case answer.Allow && !(s.untouched() && pause.Held()):
		t.print.line("the command ran while %s was asked about, which counts as no", q.Target)
		answer = launcher.Deny
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

// converse asks until the answer is one of the three. ^C is No, and goes to the
// command too.
func (t *terminalAsker) converse(ctx context.Context, s *screen, q launcher.Question) (a launcher.Answer, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	select {
	case <-t.interrupted: // from before
	default:
	}
	s.show(q)
	for {
		line, err := s.read(ctx, t.interrupted)
		if err != nil {
			s.end()
			return launcher.Deny, err == errInterrupted
		}
		if a, ok := answerIn(line); ok {
			return a, true
		}
		s.again()
	}
}

// answerIn is the answer that a line has. What a terminal itself sends is none, and
// in a line with such only No counts: what the user typed may be the end of a reply.
func answerIn(line string) (a launcher.Answer, ok bool) {
	typed := withoutEscapes(line)
	switch word := strings.ToLower(strings.TrimSpace(typed)); {
	case word == "3" || word == "n" || word == "no":
		return launcher.Deny, true
	case typed != line:
		return launcher.Deny, false
	case word == "1" || word == "y" || word == "yes":
		return launcher.AllowOnce, true
	case word == "2":
		return launcher.AllowAlways, true
	}
	return launcher.Deny, false
}

var errInterrupted = errors.New("interrupted")
