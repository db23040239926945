package main

import (
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
