package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A layer is one protection, and how srun's source reads without it. srun itself
// has no switch for any: a build without one replaces files of the source as the
// compiler reads them (go help build, -overlay).
type layer struct {
	name  string // one word
	what  string
	edits []edit
	// filter tells that the edits are of the table of system calls, from which the
	// programs are made anew.
	filter bool
	vital  bool // no command starts without it
}

// An edit replaces text that is in a file once.
type edit struct{ file, old, new string }

// groups are layers of one kind.
var groups = []struct {
	name   string
	layers []layer
}{{"mounts", mountLayers}, {"init", initLayers}, {"calls", callLayers}, {"broker", brokerLayers}}

func layers() []layer {
	var list []layer
	for _, g := range groups {
		list = append(list, g.layers...)
	}
	return list
}

// groupOf is the group of a row; several layers together, and what is alone in
// having every test fail, are in none.
func groupOf(row string) string {
	for _, g := range groups {
		for _, l := range g.layers {
			if l.name == row && !l.vital {
				return g.name
			}
		}
	}
	return ""
}

// without gathers the layers of a list such as "dumpable,landlock".
func without(list string) (edits []edit, filter bool, err error) {
	known := map[string]layer{}
	for _, l := range layers() {
		known[l.name] = l
	}
	for name := range strings.SplitSeq(list, ",") {
		l, ok := known[name]
		if !ok {
			return nil, false, fmt.Errorf("no layer %q", name)
		}
		edits, filter = append(edits, l.edits...), filter || l.filter
	}
	return edits, filter, nil
}

// edited returns the files that edits change, as they are then, by path.
func edited(root string, edits []edit) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range edits {
		text, ok := files[e.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s has %d times and not once: %s", e.file, n, cmp.Or(firstLine(e.old), "nothing"))
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
