package pathtree

import "github.com/bmatcuk/doublestar/v4"

// Rule is one rule of a list.
type Rule struct {
	Path string // or a pattern
	Glob bool   // Path is a pattern (package doublestar): every path counts that it matches
	Effects
}

// Rules are a list of them.
type Rules struct {
	list  []Rule
	exact map[string][]int
	globs []int
}

// NewRules takes a list, whose order matters only for which of two rules with
// the same effect on the same path a decision names: the first.
func NewRules(list []Rule) *Rules {
	r := &Rules{list: list, exact: make(map[string][]int, len(list))}
	for i, rule := range list {
		if rule.Glob {
			r.globs = append(r.globs, i)
			continue
		}
		r.exact[rule.Path] = append(r.exact[rule.Path], i)
	}
	return r
}

// None stands in a decision for no rule.
const None = -1

// Decision is what holds at a path, and by which rules of the list.
type Decision struct {
	State
	Read  int // what hides it, or what shows it below something hidden
	Write int // what denies writing it, else what allows it
}

// Decide tells what holds at a path.
func (r *Rules) Decide(path string) Decision {
	d := Decision{Read: None, Write: None}
	down(path, func(prefix string) bool {
		d.enter(r, prefix)
		return true
	})
	return d
}

// enter goes one step down.
func (d *Decision) enter(r *Rules, prefix string) {
	var all Effects
	first := [5]int{None, None, None, None, None} // by effect
	take := func(i int) {
		e := r.list[i].Effects
		all.Add(e)
		for kind, has := range [5]bool{e.AllowWrite, e.DenyWrite, e.AllowRead, e.DenyRead, e.HideByDefault} {
			if has && (first[kind] == None || i < first[kind]) {
				first[kind] = i
			}
		}
	}
	for _, i := range r.exact[prefix] {
		take(i)
	}
	for _, i := range r.globs {
		if ok, _ := doublestar.Match(r.list[i].Path, prefix); ok {
			take(i)
		}
	}
	if all == (Effects{}) {
		return
	}
	above := d.State
	d.State = above.Enter(all)
	switch {
	case all.DenyWrite:
		d.Write = first[1]
	case all.AllowWrite && !d.NoWrite:
		d.Write = first[0]
	}
	switch {
	case all.DenyRead:
		d.Read = first[3]
	case d.NoRead && all.HideByDefault:
		d.Read = first[4]
	case all.AllowRead && !d.NoRead && (above.NoRead || all.HideByDefault || d.Read != None):
		d.Read = first[2]
	case above.NoRead && !d.NoRead:
		d.Read = first[0]
	}
}

// Below tells whether a rule, if any, could be about something below a path. A
// pattern could.
func (r *Rules) Below(path string) bool {
	if len(r.globs) > 0 {
		return true
	}
	for _, rule := range r.list {
		if Contains(path, rule.Path) {
			return true
		}
	}
	return false
}
