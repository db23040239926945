//go:build linux

package broker

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"srun/policy/gitfiles"
)

// Rules are what a plan says of names that are made or written. Paths are the
// sandbox's, absolute and without symbolic links.
type Rules struct {
	// Own are trees of the sandbox's alone, which go with it.
	Own []string

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
	Denied    any    // the planner's own, handed back with the denial
}

// Name is a protected name, or several of which all but the last are
// directories'. A "*" in one stands for anything.
type Name struct {
	Parts  []string
	Reason string
}

// Glob is a pattern.
type Glob struct {
	Pattern string
	Why     Why
}

// matchName compares one component with a protected name.
func matchName(pattern, name string) bool {
	before, after, any := strings.Cut(pattern, "*")
	if !any {
		return pattern == name
	}
	return len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

// begins tells whether names begin with the protected ones.
func (n Name) begins(names []string) bool {
	if len(names) < len(n.Parts) {
		return false
	}
	for i, part := range n.Parts {
		if !matchName(part, names[i]) {
			return false
		}
	}
	return true
}

// index is what rules are looked up by.
type index struct {
	*Rules
	first    map[string][]Name // by the first name
	patterns []Name            // whose first name has a "*"
	parts    map[string]bool   // every name of a rule: making it is done under a lock
	anyPart  bool              // a glob could be of any name
}

func newIndex(r *Rules) *index {
	x := &index{Rules: r, first: map[string][]Name{}, parts: map[string]bool{}}
	for _, n := range r.Names {
		if strings.Contains(n.Parts[0], "*") {
			x.patterns = append(x.patterns, n)
			continue
		}
		x.first[n.Parts[0]] = append(x.first[n.Parts[0]], n)
		for _, part := range n.Parts {
			x.parts[part] = true
		}
	}
	for reserved := range r.Reserved {
		for part := range strings.SplitSeq(reserved, "/") {
			x.parts[part] = true
		}
	}
	x.anyPart = len(r.Globs) > 0
	for _, name := range gitNames {
		x.parts[name] = true
	}
	delete(x.parts, "")
	return x
}

// own tells whether a path lies where nothing is judged.
func (x *index) own(p string) bool {
	for _, tree := range x.Own {
		if within(tree, p) {
			return true
		}
	}
	return false
}

// special tells whether a pipe or a device may be opened for writing. The
// sandbox's own /dev and /proc have those that it may.
func (x *index) special(p string) bool {
	return within("/dev", p) || within("/proc", p) ||
		slices.ContainsFunc(x.Writable, func(tree string) bool { return within(tree, p) })
}

// sensitive tells whether making a name could, now or with another act beside
// it, bring about what may not be.
func (x *index) sensitive(dir, name string) bool {
	if x.anyPart || x.parts[name] || x.parts[path.Base(dir)] {
		return true
	}
	return slices.ContainsFunc(x.patterns, func(n Name) bool { return matchName(n.Parts[0], name) })
}

// reserved returns why a path may not be made by its path alone.
func (x *index) reserved(p string) *Why {
	for at := p; at != "/" && at != "."; at = path.Dir(at) {
		if why, ok := x.Reserved[at]; ok {
			return &why
		}
	}
	for i := range x.Globs {
		for at := p; at != "/" && at != "."; at = path.Dir(at) {
			if ok, _ := doublestar.Match(x.Globs[i].Pattern, at); ok {
				return &x.Globs[i].Why
			}
		}
	}
	return nil
}

// leads tells whether something reserved could lie below a path.
func (x *index) leads(p string) bool {
	if len(x.Globs) > 0 {
		return true
	}
	for reserved := range x.Reserved {
		if within(p, reserved) {
			return true
		}
	}
	return false
}

// protectedAt is a protected name in a path.
type protectedAt struct {
	Name
	holder string // the directory that it counts in
	up     int    // how many directories that is above the path's own
}

// protected returns the protected names that a path is or lies below.
func (x *index) protected(p string) (found []protectedAt) {
	if x.Opened != nil && x.Opened(p) {
		return nil
	}
	parts := strings.Split(p, "/")[1:]
	for i, part := range parts {
		x.each(part, func(n Name) {
			if !n.begins(parts[i:]) {
				return
			}
			found = append(found, protectedAt{n, "/" + strings.Join(parts[:i], "/"), len(parts) - 1 - i})
		})
	}
	return found
}

// each calls f with the protected names whose first is this one.
func (x *index) each(part string, f func(Name)) {
	for _, n := range x.first[part] {
		f(n)
	}
	for _, n := range x.patterns {
		if matchName(n.Parts[0], part) {
			f(n)
		}
	}
}

func within(dir, p string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}
