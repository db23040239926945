package launcher

import "srun/policy"

// Denial is one act of the command that was refused.
type Denial = policy.Denial

// Words are how what only its user can name is written where the command or a log
// reads it. What is nil is the method of the same argument: [Denial.Line] and
// [policy.Grant.String].
type Words struct {
	Denial func(Denial) string       // the answer to a client inside
	Grant  func(policy.Grant) string // a rule of the audit log
}

func (w Words) grant(g policy.Grant) string {
	if w.Grant == nil {
		return g.String()
	}
	return w.Grant(g)
}
