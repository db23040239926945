package main

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// later are the flags that are read and refused: what they promise is not built.
var later = []string{"learn", "claude", "profile", "memory", "pids", "cpus"}

func TestHelpHasEveryFlag(t *testing.T) {
	f := newFlagSet(&options{})
	var named []string
	for _, g := range flagGroups {
		for _, name := range g.flags {
			if named = append(named, name); f.Lookup(name) == nil {
				t.Errorf("the help has --%s, which is no flag", name)
			}
		}
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if slices.Contains(named, flag.Name) == slices.Contains(later, flag.Name) {
			t.Errorf("--%s: in the help %v, for later %v", flag.Name, slices.Contains(named, flag.Name), slices.Contains(later, flag.Name))
		}
	})
	for name := range choices {
		if f.Lookup(name) == nil {
			t.Errorf("choices of --%s, which is no flag", name)
		}
	}
	for _, name := range takesFile {
		if f.Lookup(name) == nil {
			t.Errorf("files for --%s, which is no flag", name)
		}
	}
}
