package pathtree

// Access is what may be done at a path.
type Access uint8

// The kinds of access, each with what the one before has.
const (
	Hidden Access = iota // neither read nor written
	ReadOnly
	ReadWrite
)

// Effects are what the rules of one path say, together.
type Effects struct {
	AllowWrite, DenyWrite bool
	AllowRead, DenyRead   bool
	HideByDefault         bool // as DenyRead, but an AllowRead of this very path wins
}

// Add joins two rules of one path.
func (e *Effects) Add(other Effects) {
	e.AllowWrite = e.AllowWrite || other.AllowWrite
	e.DenyWrite = e.DenyWrite || other.DenyWrite
	e.AllowRead = e.AllowRead || other.AllowRead
	e.DenyRead = e.DenyRead || other.DenyRead
	e.HideByDefault = e.HideByDefault || other.HideByDefault
}

// State is what holds at a path, and below it until a rule says otherwise. The
// zero State is the root's without rules: readable and not writable.
type State struct {
	InWrite bool // at or below an AllowWrite
	NoWrite bool // at or below a DenyWrite: no AllowWrite takes that back
	NoRead  bool
}

// Enter returns what holds at a path that has these rules and lies directly
// below one where s holds.
func (s State) Enter(e Effects) State {
	denied := e.DenyRead || e.HideByDefault && !e.AllowRead
	noWrite := s.NoWrite || e.DenyWrite
	opens := e.AllowRead || e.AllowWrite && !noWrite // what may be written may be read
	return State{
		InWrite: s.InWrite || e.AllowWrite,
		NoWrite: noWrite,
		NoRead:  denied || s.NoRead && !opens,
	}
}

// Access is what may be done where s holds.
func (s State) Access() Access {
	switch {
	case s.NoRead:
		return Hidden
	case s.InWrite && !s.NoWrite:
		return ReadWrite
	}
	return ReadOnly
}
