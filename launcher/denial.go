package launcher

import (
	"time"

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

// Line returns the denial as srun prints it after its prefix.
func (d Denial) Line() string {
	line := "denied " + d.Operation + " " + d.Target + " (" + d.Reason + ")"
	if d.Allow != "" {
		line += "; to allow: " + d.Allow
	}
	return line
}

func fromProxy(d proxy.Denial) Denial {
	return Denial{
		Time: d.Time, Operation: d.Operation, Target: d.Target, Reason: d.Reason,
		Rule: d.Rule, Source: d.Source, PID: d.Process.PID, Command: d.Process.Command, Allow: d.Allow,
	}
}
