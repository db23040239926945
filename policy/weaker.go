package policy

import "slices"

// Weaker is the name of a protection whose absence on this host is accepted.
type Weaker struct {
	Name   string
	Source Source
}

// WeakerNames returns the names that --allow-weaker takes.
func WeakerNames() []string {
	return []string{
		"namespaces", "landlock", "seccomp", "write-deny", "pid-isolation", "unix-sockets", "transparent-network",
	}
}

// nestedWeaker is what enableWeakerNestedSandbox accepts together: what a
// container without namespaces cannot give.
func nestedWeaker() []string {
	return []string{"namespaces", "pid-isolation", "write-deny", "transparent-network"}
}

// AcceptsWeaker reports whether the policy accepts that the named protection
// is missing.
func (p *Policy) AcceptsWeaker(name string) bool {
	return slices.ContainsFunc(p.Weaker, func(w Weaker) bool { return w.Name == name })
}
