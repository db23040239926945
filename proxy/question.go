package proxy

import "srun/proxy/internal/question"

// Process is who is behind a connection. The zero Process is unknown.
type Process = question.Process

// Question asks whether a host that no rule decides may be reached.
type Question = question.Question

// Answer is the reply to a [Question].
type Answer = question.Answer

// The usual answers, which hold for the rest of the run.
var (
	Deny        = question.Deny
	AllowOnce   = question.AllowOnce
	AllowAlways = question.AllowAlways
)
