//go:build linux

package broker

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// Rules are what a plan says of names that are made or written. Paths are the
// sandbox's, absolute and without symbolic links.
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
	Denied    any    // the planner's own, handed back with the denial
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

// index is what rules are looked up by.
type index struct {
	*Rules
	denied  *pathtree.Rules // the reserved paths and the globs
	whys    []Why           // of each of those
	names   *pathtree.Names
	wild    []string        // the first components of names that have a "*"
	parts   map[string]bool // every name of a rule: making it is done under a lock
	holders map[string]bool // of directories of which a rule may mean any name
	anyPart bool            // a glob could be of any name

	spellings spellings
}

func newIndex(r *Rules) *index {
	x := &index{Rules: r, parts: map[string]bool{}, holders: map[string]bool{}, anyPart: len(r.Globs) > 0}
	var names []pathtree.Name
	for _, n := range r.Names {
		names = append(names, n.Name)
		parts := n.Name.Parts()
		if strings.Contains(parts[0], "*") {
			x.wild = append(x.wild, parts[0])
			continue
		}
		x.add(parts, parts)
	}
	x.names = pathtree.NewNames(names)
	var denied []pathtree.Rule
	for p, why := range r.Reserved {
		denied, x.whys = append(denied, pathtree.Rule{Path: p, Effects: denyWrite}), append(x.whys, why)
		x.add(strings.Split(p, "/"), []string{path.Base(p)})
	}
	for _, glob := range r.Globs {
		denied, x.whys = append(denied, pathtree.Rule{Path: glob.Pattern, Glob: true, Effects: denyWrite}), append(x.whys, glob.Why)
	}
	x.denied = pathtree.NewRules(denied)
	x.add(gitNames, gitNames)
	x.wild = append(x.wild, sharedIndex+"*")
	delete(x.parts, "")
	x.spellings = newSpellings(x.parts, x.wild)
	return x
}

var denyWrite = pathtree.Effects{DenyWrite: true}

func (x *index) add(parts, holders []string) {
	for _, part := range parts {
		x.parts[part] = true
	}
	for _, holder := range holders {
		x.holders[holder] = true
	}
}

// own tells whether a path lies where nothing is judged.
func (x *index) own(p string) bool {
	in := func(tree string) bool { return pathtree.Contains(tree, p) }
	return slices.ContainsFunc(x.Own, in) && !slices.ContainsFunc(x.Shown, in)
}

// special tells whether a pipe or a device may be opened for writing. The
// sandbox's own /dev and /proc have those that it may.
func (x *index) special(p string) bool {
	return pathtree.Contains("/dev", p) || pathtree.Contains("/proc", p) ||
		slices.ContainsFunc(x.Writable, func(tree string) bool { return pathtree.Contains(tree, p) })
}

// sensitive tells whether making a name could, now or with another act beside
// it, bring about what may not be.
func (x *index) sensitive(dir, name string) bool {
	name = x.spellings.of(name)
	if x.anyPart || x.parts[name] || x.holders[path.Base(dir)] {
		return true
	}
	return slices.ContainsFunc(x.wild, func(pattern string) bool { return pathtree.MatchComponent(pattern, name) })
}

// reserved returns why a path may not be made by its path alone.
func (x *index) reserved(p string) *Why {
	if d := x.denied.Decide(p); d.NoWrite {
		return &x.whys[d.Write]
	}
	return nil
}

// leads tells whether something reserved could lie below a path.
func (x *index) leads(p string) bool { return x.denied.Below(p) }

// leadsThrough tells whether a link at a path would be on the way to something
// reserved. Below "**" it is not: what matches there matches by its real path too.
func (x *index) leadsThrough(p string) bool {
	for reserved := range x.Reserved {
		if p != reserved && pathtree.Contains(p, reserved) {
			return true
		}
	}
	for _, glob := range x.Globs {
		before, _, _ := strings.Cut(glob.Pattern, "/**")
		for dir := path.Dir(before); dir != "/"; dir = path.Dir(dir) {
			if ok, _ := doublestar.Match(dir, p); ok {
				return true
			}
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
	for _, m := range x.names.In(p) {
		parts := strings.Split(p, "/")[1:]
		found = append(found, protectedAt{x.Names[m.Index], "/" + strings.Join(parts[:m.At], "/"), len(parts) - 1 - m.At})
	}
	return found
}

// leadsToName tells whether a name is the first of several.
func (x *index) leadsToName(name string) (leads bool) {
	x.names.Begins(name, func(_, components int) { leads = leads || components > 1 })
	return leads
}
