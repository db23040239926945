package pathtree

import "strings"

// Name is what counts wherever it lies: the last components of a path, as
// "a/b". In each, one "*" stands for any text, but never for a slash.
type Name string

// Parts are its components.
func (n Name) Parts() []string { return strings.Split(string(n), "/") }

// MatchComponent compares one component of a path with one of a name.
func MatchComponent(pattern, component string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == component
	}
	return len(component) >= len(before)+len(after) && strings.HasPrefix(component, before) && strings.HasSuffix(component, after)
}

// Matches reports whether a path ends in the name.
func (n Name) Matches(path string) bool {
	name := string(n)
	for {
		component, inPath := lastComponent(&name), lastComponent(&path)
		switch {
		case inPath == "" || !MatchComponent(component, inPath):
			return false
		case name == "":
			return true
		}
	}
}

// Covers reports whether a path ends in the name or lies below one that does.
func (n Name) Covers(path string) bool {
	for at := path; at != ""; lastComponent(&at) {
		if n.Matches(at) {
			return true
		}
	}
	return false
}

// lastComponent cuts the last component off a clean path and returns it.
func lastComponent(path *string) (component string) {
	i := strings.LastIndexByte(*path, '/')
	component, *path = (*path)[i+1:], (*path)[:max(i, 0)]
	return component
}

// Names finds the names that paths have.
type Names struct {
	first    map[string][]named // by the first component
	patterns []named            // whose first component has a "*"
}

type named struct {
	parts []string
	index int
}

// NewNames takes a list of names.
func NewNames(list []Name) *Names {
	x := &Names{first: map[string][]named{}}
	for i, name := range list {
		n := named{name.Parts(), i}
		if strings.Contains(n.parts[0], "*") {
			x.patterns = append(x.patterns, n)
			continue
		}
		x.first[n.parts[0]] = append(x.first[n.parts[0]], n)
	}
	return x
}

// Match is a name in a path.
type Match struct {
	Index int // in the list of names
	At    int // the component of the path that the name begins with, from 0
}

// In returns the names that a path ends in or lies below.
func (x *Names) In(path string) (found []Match) {
	parts := strings.Split(path, "/")[1:]
	for i, part := range parts {
		x.each(part, func(n named) {
			if n.begins(parts[i:]) {
				found = append(found, Match{n.index, i})
			}
		})
	}
	return found
}

// Begins calls f with every name whose first component this one may be, and how
// many components it has.
func (x *Names) Begins(component string, f func(index, components int)) {
	x.each(component, func(n named) { f(n.index, len(n.parts)) })
}

func (x *Names) each(component string, f func(named)) {
	for _, n := range x.first[component] {
		f(n)
	}
	for _, n := range x.patterns {
		if MatchComponent(n.parts[0], component) {
			f(n)
		}
	}
}

// begins tells whether components begin with the name's.
func (n named) begins(components []string) bool {
	if len(components) < len(n.parts) {
		return false
	}
	for i, part := range n.parts {
		if !MatchComponent(part, components[i]) {
			return false
		}
	}
	return true
}
