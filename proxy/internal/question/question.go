package question

import (
	"time"

	"srun/policy"
)

// Process is who is behind a connection. The zero Process is unknown.
type Process struct {
	PID     int    // as the host sees it
	Command string // the process's name, as in git-remote-https
}

// Question asks whether a host that no rule decides may be reached.
type Question struct {
	Target  policy.HostPort
	Process Process
}

// Answer is the reply to a Question. It holds for that host on every port; for
// localhost, where each port is another service, on that port alone. The zero
// Answer is Deny.
type Answer struct {
	Allow  bool
	Keep   bool          // beyond the run: to write it to a file is the caller's part
	Once   bool          // for what was asked, and no longer: the next request asks again
	For    time.Duration // how long it holds in this run; 0 is to its end
	Reason string        // of a denial, in the words of its line; "" is "answered no"
}

// The usual answers, which hold for the rest of the run.
var (
	Deny        = Answer{}
	AllowOnce   = Answer{Allow: true}
	AllowAlways = Answer{Allow: true, Keep: true}
)
