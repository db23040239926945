//go:build linux

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// follow takes the steps in turn. Empty lines and lines starting with # are
// for people.
func (t *terminal) follow(steps string) error {
	for i, line := range strings.Split(steps, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		verb, arg, _ := strings.Cut(line, " ")
		if err := t.step(verb, arg); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, line, err)
		}
	}
	return nil
}

func (t *terminal) step(verb, arg string) error {
	switch verb {
	case "expect":
		return t.expect(arg)
	case "reject":
		return t.reject(arg)
	case "send":
		return t.send(arg)
	case "resize":
		return t.resize(arg)
	case "signal":
		return t.process.Signal(unix.SignalNum("SIG" + arg))
	case "pause":
		ms, err := strconv.Atoi(arg)
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return err
	case "hangup":
		return t.master.Close()
	}
	return fmt.Errorf("unknown step")
}

func (t *terminal) expect(text string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		last := time.Now().After(deadline) || t.isClosed() // then all is shown
		t.mu.Lock()
		at := strings.Index(t.output.String()[t.expected:], text)
		if at >= 0 {
			t.expected += at + len(text)
		}
		t.mu.Unlock()
		if at >= 0 {
			return nil
		}
		if last {
			return fmt.Errorf("not shown")
		}
	}
}

func (t *terminal) isClosed() bool {
	select {
	case <-t.closed:
		return true
	default:
		return false
	}
}

func (t *terminal) reject(text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if strings.Contains(t.output.String()[t.expected:], text) {
		return fmt.Errorf("shown")
	}
	return nil
}

func (t *terminal) send(text string) error {
	typed, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		return err
	}
	_, err = io.WriteString(t.master, typed)
	return err
}

func (t *terminal) resize(arg string) error {
	var size unix.Winsize
	if _, err := fmt.Sscan(arg, &size.Col, &size.Row); err != nil {
		return err
	}
	return unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, &size)
}
