package launcher

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"srun/policy"
	"srun/proxy"
)

// Denial is one act of the command that was refused.
type Denial struct {
	Time      time.Time
	Operation string // "network", "read", "write", "exec" or "unix-socket"
	Target    string // "example.com:443", or a path
	Reason    string
	Rule      string        // the rule that decided, "" when none did
	Source    policy.Source // where that rule came from
	PID       int           // as the host sees it, 0 when unknown
	Command   string        // the process's name, "" when unknown
	Allow     string        // the flag that would allow it, "" when none would
}

// Line returns the denial as srun prints it after its prefix: one line of
// printable text, whatever the command put into a name. What does not print is
// quoted, in the flag as a shell reads it.
func (d Denial) Line() string {
	line := "denied " + d.Operation + " " + quoted(d.Target, strconv.Quote) + " (" + quoted(d.Reason, strconv.Quote) + ")"
	if d.Allow != "" {
		flag, value, _ := strings.Cut(d.Allow, " ")
		line += "; to allow: " + flag + " " + quoted(value, shellQuote)
	}
	return line
}

// quoted returns s as it is where all of it prints.
func quoted(s string, quote func(string) string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return quote(s)
}

// shellQuote uses the $'...' of POSIX 2024 and bash.
func shellQuote(s string) string {
	body := strconv.Quote(s)
	return "$'" + strings.ReplaceAll(body[1:len(body)-1], "'", `\'`) + "'"
}

func fromProxy(d proxy.Denial) Denial {
	return Denial{
		Time: d.Time, Operation: d.Operation, Target: d.Target, Reason: d.Why(),
		Rule: d.Rule, Source: d.Source, PID: d.Process.PID, Command: d.Process.Command, Allow: d.Allow,
	}
}
