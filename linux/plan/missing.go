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

// Rules are what no mount can hold, and the broker holds: of names that are made or
// written. Paths are the sandbox's, absolute and without symbolic links.
type Rules struct {
	// Own are trees of the sandbox's alone, which go with it.
	Own []string

	// Shown are what of the host's is in those trees.
	Shown []string

	// Writable are the trees and files that may be written. Mounts hold all else but
	// the special files: a pipe or a device can be written on a read-only mount.
	Writable []string

	// Reserved are paths that may not be written or made, with all below them.
	Reserved map[string]Why

	// Kept are git's configurations that may be changed and not removed.
	Kept map[string]bool

	// Held are paths that something is mounted on, also out of sight.
	Held map[string]bool

	// Names are protected in every directory that was there when the run began.
	Names []Name

	// Globs are absolute patterns (package doublestar); what matches, and all
	// below it, may not be written or made.
	Globs []Glob

	// Templates are directories that git makes new repositories from, out of the
	// command's reach.
	Templates []string

	// Opened tells of a path that it may be written though it is protected; nil
	// is none.
	Opened func(path string) bool

	// AllowGitConfig leaves git's configuration to the command.
	AllowGitConfig bool
	// Git says which hosts configuration may name where git asks them unasked.
	Git gitfiles.JudgeOptions
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

// Glob is a pattern.
type Glob struct {
	Pattern string
	Why     Why
}
