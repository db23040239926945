package policy

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Denial is one act of the command that was refused.
type Denial struct {
	Time      time.Time
	Operation string // "network", "read", "write", "exec" or "unix-socket"
	Target    string // "example.com:443", or a path
	Reason    string
	Rule      string  // the rule that decided, "" when none did
	Source    Source  // where that rule came from
	PID       int     // as the host sees it, 0 when unknown
	Command   string  // the process's name, "" when unknown
	Allow     []Grant // what together would allow it, nil when nothing would
}

// Line is the denial in one line of printable text, whatever the command put into
// a name. What does not print is quoted.
func (d Denial) Line() string {
	return "denied " + d.Operation + " " + plain(d.Target) + " (" + plain(d.Reason) + ")"
}

// plain returns s as it is where all of it prints.
func plain(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}
