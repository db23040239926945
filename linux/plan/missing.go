package plan

import (
	"srun/policy"
	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// MissingPath is a path that may not be made and does not exist: no mount can
// hold its place. The directories on the way to it are pinned.
type MissingPath struct {
	Path   string // absolute; its longest existing ancestor has no symbolic link
	Root   string // the writable directory that it lies in
	Reason string
	Source policy.Source

	Protected bool // no setting denies it
}

// why is what a denial of a missing path says, by the rule that denies it.
func (m MissingPath) why(rule string) Why {
	w := Why{Reason: m.Reason, Rule: rule, Protected: m.Protected, Source: m.Source}
	switch {
	case m.Protected:
		w.Reason = "protected path"
	case m.Reason == "":
		w.Reason = "denied by filesystem.denyWrite"
	}
	return w
}

// Rules are what no mount can hold, and the broker holds: see broker.Rules, which
// has the same fields.
type Rules struct {
	Own       []string        // trees of the sandbox's alone
	Shown     []string        // what of the host's is in them
	Writable  []string        // trees and files that may be written
	Reserved  map[string]Why  // paths that may not be written or made
	Kept      map[string]bool // git's configurations that may be changed and not removed
	Held      map[string]bool // paths that something is mounted on
	Names     []Name          // protected wherever they lie
	Globs     []Glob          // of what may not be written or made
	Templates []string        // that git makes repositories from
	Opened    func(path string) bool

	AllowGitConfig bool
	Git            gitfiles.JudgeOptions
}

// Why says what a path is denied for.
type Why struct {
	Reason    string // in a denial line
	Rule      string // the rule in the policy's words
	Protected bool   // no setting denies it
	Source    policy.Source
}

// Name is a protected name.
type Name struct {
	Name   pathtree.Name
	Reason string
}

// Glob is a pattern (package doublestar).
type Glob struct {
	Pattern string
	Why     Why
}
