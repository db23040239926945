package policy

import (
	"iter"
	"slices"

	"srun/policy/pathtree"
)

// ProtectedPath is a name that no command may write, though it lies in a
// writable directory: the host would later run or trust it.
type ProtectedPath struct {
	Path     string // absolute; with Anywhere, the last components of a path at any depth, see Matches
	Anywhere bool
	Reason   string
	Runs     string // which program runs or reads it without being asked
}

// Protected returns the protected paths: srun's own, the home's, and those
// that count wherever they lie, whether a flag opens one or not: see Opened. It is a list of names alone: what git finds
// through .git files, commondir, worktrees and core.hooksPath is the backend's
// to look up.
func (p *Policy) Protected() []ProtectedPath { return slices.Collect(p.protected()) }

func (p *Policy) protected() iter.Seq[ProtectedPath] {
	return func(yield func(ProtectedPath) bool) {
		for _, dir := range p.OwnDirs {
			if !yield(ProtectedPath{Path: dir, Reason: ownReason, Runs: ownProgram}) {
				return
			}
		}
		for _, home := range append([]string{p.Home}, p.OtherHomes...) {
			for _, n := range protectedHome {
				if home != "" && !yield(ProtectedPath{Path: home + "/" + n.path, Reason: n.reason, Runs: n.runs}) {
					return
				}
			}
		}
		for _, n := range protectedAnywhere {
			if n.path == ".git/config" && p.Filesystem.AllowGitConfig {
				continue
			}
			if !yield(ProtectedPath{Path: n.path, Anywhere: true, Reason: n.reason, Runs: n.runs}) {
				return
			}
		}
	}
}

const (
	ownProgram = "srun"
	ownReason  = "srun's own settings and trust record"
)

// Matches reports whether path, absolute and clean, is the protected path
// itself. Of an Anywhere name each component is compared by itself, and one "*"
// in it stands for any text: "*.code-workspace" is every file that ends so.
func (p ProtectedPath) Matches(path string) bool {
	if !p.Anywhere {
		return path == p.Path
	}
	return pathtree.Name(p.Path).Matches(path)
}

// Covers reports whether path, absolute and clean, is the protected path or
// lies below it.
func (p ProtectedPath) Covers(path string) bool {
	if !p.Anywhere {
		return pathtree.Contains(p.Path, path)
	}
	return pathtree.Name(p.Path).Covers(path)
}
