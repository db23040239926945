package launcher

import "srun/policy"

// Check is one line of what this host can enforce.
type Check struct {
	Protection string // its name, as in policy.Weaker
	OK         bool
	Detail     string // what was found
	Fix        string // what to do when it is missing, "" when nothing is
}

// Rule is one line of a resolved policy: what holds for a target, where that
// came from, and what enforces it on this host.
type Rule struct {
	Effect    string `json:"effect"` // "allow network", "deny write", …
	Target    string `json:"target"`
	Source    string `json:"source"`
	Mechanism string `json:"mechanism"`

	// Grant, where it has a kind, is what the rule comes from, and Source is empty.
	Grant policy.Grant `json:"-"`
}
