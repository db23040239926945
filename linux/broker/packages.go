//go:build linux

package broker

import (
	"slices"
	"strings"

	"srun/policy/pathtree"
)

// packages tells what lies among packages, which come and go and have such names.
func packages(path string) bool { return strings.Contains(path, "/node_modules/") }

// goesAmongPackages tells whether a directory that was there, or a new one with such
// in it, would come to where protected names do not count.
func (a *ages) goesAmongPackages(id bornID, from, to string) bool {
	if !packages(to+"/") || packages(from+"/") {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.made[id] {
		return a.full || a.home[id] != to
	}
	return slices.ContainsFunc(a.moved, func(m move) bool {
		now := pathOfFD(m.dir)
		return now == "" || pathtree.Contains(from, now)
	})
}
