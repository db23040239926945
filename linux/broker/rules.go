//go:build linux

package broker

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"srun/linux/plan"
	"srun/policy/pathtree"
)

// What a plan says of names that are made or written.
type (
	Rules = plan.Rules
	Why   = plan.Why
	Name  = plan.Name
	Glob  = plan.Glob
)

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
