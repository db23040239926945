package policy

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy/direnv"
	"srun/policy/pathtree"
)

// Opened reports whether path, absolute and clean, is at or below one that
// --open-protected names. Nothing opens what decides what srun allows.
func (p *Policy) Opened(path string) bool {
	return slices.ContainsFunc(p.Filesystem.OpenProtected, func(r PathRule) bool { return pathtree.Contains(r.Path, path) }) && !p.srunsOwn(path)
}

// srunsOwn reports whether a protected path covers path that is srun's own.
func (p *Policy) srunsOwn(path string) bool {
	for name := range p.protected() {
		if name.Runs == ownProgram && name.Covers(path) {
			return true
		}
	}
	return false
}

// protectedPaths are what --open-protected names. A name has no wildcards.
type protectedPaths struct{ *list[PathRule] }

func (k protectedPaths) readFlag(f *flagReader, text string, source Source) error {
	rule, err := parsePath(text, f.o.Dir, f.o.Home, true)
	if err == nil {
		for _, path := range spellings(rule.Path) {
			f.layer.openProtected = append(f.layer.openProtected, PathRule{Path: path, Literal: true, Source: source})
		}
		p := &Policy{Home: f.o.Home, OtherHomes: f.o.OtherHomes, OwnDirs: f.o.ownDirs()}
		err = p.openable(rule.Path)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", clip(text), err)
	}
	return nil
}

// openable says why a path cannot be opened, if it cannot.
func (p *Policy) openable(path string) error {
	if p.srunsOwn(path) {
		return errors.New("decides what srun allows; nothing opens it")
	}
	var inside []string
	for name := range p.protected() {
		switch {
		case name.Covers(path):
			return nil
		case name.Anywhere && strings.HasPrefix(name.Path, filepath.Base(path)+"/"):
			inside = append(inside, filepath.Join(filepath.Dir(path), name.Path))
		case !name.Anywhere && pathtree.Contains(path, name.Path):
			inside = append(inside, name.Path)
		}
	}
	if LoadedByDirenv(path) {
		return nil
	}
	if len(inside) == 0 {
		return errors.New("not a protected path")
	}
	return fmt.Errorf("not a protected path itself, but what is in it, such as %s", printable(inside[0]))
}

// spellings are the ways in which a path may be named when it is written: as
// it stands, with the links of its directory resolved, and where it leads.
func spellings(path string) []string {
	all := []string{path}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		all = append(all, filepath.Join(dir, filepath.Base(path)))
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		all = append(all, target)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// LoadedByDirenv tells whether an .envrc beside a file has direnv load it. Such
// a file is protected, and --open-protected opens it.
func LoadedByDirenv(path string) bool {
	dir, name := filepath.Split(path)
	envrc, err := readRegular(filepath.Join(dir, ".envrc"), direnv.MaxSize)
	return err == nil && slices.ContainsFunc(direnv.Loads(envrc), func(file string) bool { return filepath.Clean(file) == name })
}
