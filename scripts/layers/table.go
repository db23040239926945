package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// together are layers that hold the same promises, and are left out together.
var together = []string{
	"hide,keeper",
	"broker,pin",
	"dumpable,landlock",
	"capabilities,mount",
}

// chosen are the rows that a flag names, or all.
func chosen(only string) []string {
	if only != "" {
		return strings.Fields(only)
	}
	var rows []string
	for _, l := range layers() {
		rows = append(rows, l.name)
	}
	return append(rows, together...)
}

// A result is what docs/layers.json has for each row.
type result struct {
	Without string // layers, with commas between
	What    string
	User    []string `json:",omitempty"` // the tests that fail, by whom they ran as
	Root    []string `json:",omitempty"`
	Go      []string `json:",omitempty"`
}

// load reads the table.
func load(root string) (results []result, err error) {
	b, err := os.ReadFile(filepath.Join(root, tableFile))
	if err != nil {
		return nil, err
	}
	return results, json.Unmarshal(b, &results)
}

const tableFile = "docs/layers.json"

// note puts a row into the table.
func note(root, row, as string, tests []string) error {
	old, err := load(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	rows := chosen("")
	if !slices.Contains(rows, row) {
		rows = append(rows, row)
	}
	var results []result
	for _, name := range rows {
		i := slices.IndexFunc(old, func(r result) bool { return r.Without == name })
		if i < 0 && name != row {
			continue
		}
		r := result{Without: name}
		if i >= 0 {
			r = old[i]
		}
		r.What = what(name)
		if name == row {
			r.take(as, tests)
		}
		results = append(results, r)
	}
	b, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, tableFile), append(b, '\n'), 0o644)
}

func (r *result) take(as string, tests []string) {
	switch as {
	case "root":
		r.Root = tests
	case goTests:
		r.Go = tests
	default:
		r.User = tests
	}
}

// what says what a row's layer is; several speak for themselves.
func what(row string) string {
	for _, l := range layers() {
		if l.name == row {
			return l.what
		}
	}
	return ""
}
