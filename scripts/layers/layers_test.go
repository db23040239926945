package main

import (
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// A layer whose source has changed is no longer left out by its edits.
func TestEdits(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range layers() {
		if seen[l.name] || strings.ContainsAny(l.name, ", ") {
			t.Errorf("the name %q is none, or another's too", l.name)
		}
		seen[l.name] = true
		if _, err := edited(root, l.edits); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
	}
}

// unmeasured are layers with the test that was written for each, whose rows no run
// has got to yet. Take a layer out when make layers has filled its row.
var unmeasured = map[string]string{
	"pin": "aside", "lend": "stdin", "reserved": "missing",
	"links": "git-links", "nonewprivs": "all",
}

// Every layer's absence is noticed by a test: alone, or with another that holds
// the same, by a test that does not notice that one's.
func TestEveryLayerIsNoticed(t *testing.T) {
	results, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{}
	for _, r := range results {
		tests[r.Without] = slices.Concat(r.User, r.Root, r.Go)
	}
	noticed := map[string]bool{}
	for row, failed := range tests {
		names := strings.Split(row, ",")
		for _, name := range names {
			others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
			noticed[name] = noticed[name] || slices.ContainsFunc(failed, func(test string) bool {
				return !slices.ContainsFunc(others, func(n string) bool { return slices.Contains(tests[n], test) })
			})
		}
	}
	for _, l := range layers() {
		_, open := unmeasured[l.name]
		if open && noticed[l.name] {
			t.Errorf("%s is measured: take it out of unmeasured", l.name)
		}
		if !open && !noticed[l.name] {
			t.Errorf("%s: nobody notices that it is left out; see docs/layers.json", l.name)
		}
	}
}
