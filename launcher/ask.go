package launcher

import "srun/proxy"

// Question asks whether a host that no rule decides may be reached.
type Question = proxy.Question

// Answer is the reply to a [Question].
type Answer = proxy.Answer

// The usual answers. Both allows hold for the rest of the run; to keep AllowAlways
// beyond it is the caller's part (policy.AllowAlways).
var (
	Deny        = proxy.Deny
	AllowOnce   = proxy.AllowOnce
	AllowAlways = proxy.AllowAlways
)
