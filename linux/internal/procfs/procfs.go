//go:build linux

package procfs

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Field is the last word of a line of a file such as /proc/PID/status, "" without
// one: for NSpid the process id in the innermost namespace.
func Field(text []byte, name string) string {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				return words[len(words)-1]
			}
		}
	}
	return ""
}

// Leader is the process of a thread, or the thread where that is not known.
func Leader(tid int) int {
	if leader := statusNumber(tid, "Tgid"); leader != 0 {
		return leader
	}
	return tid
}

// Parent is a process's parent, 0 where that is not known.
func Parent(pid int) int { return statusNumber(pid, "PPid") }

func statusNumber(pid int, name string) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(Field(status, name))
	return n
}

// Command is a process's name, fit for a terminal.
func Command(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return Printable(string(bytes.TrimSpace(name)))
}

// Printable keeps a process's name, which it chose itself, from writing to the
// user's terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
