package plan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// FileID tells a file from another that was given its name.
type FileID struct {
	Ino uint64
	Dev uint32 // as in the kernel: major<<20 | minor
}

// Place is where a path leads.
type Place struct {
	Path    string // absolute, without a symbolic link as far as it exists; "" where links go in a circle
	Dir     bool
	Missing bool     // nothing is there
	Links   []string // the symbolic links on the way, each by a path without one
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// lstatFunc tells what is at a path whose directory has no symbolic link: a
// link's target, or whether it is a directory.
type lstatFunc func(path string) (target string, dir bool, err error)

// Walk follows a path name by name, as the kernel does.
func Walk(path string, lstat lstatFunc) (Place, error) {
	p := Place{Path: "/", Dir: true}
	hops := 0
	for rest := path; rest != ""; {
		name, after, _ := strings.Cut(rest, "/")
		rest = after
		switch name {
		case "", ".":
			continue
		case "..":
			p.Path, p.Dir = filepath.Dir(p.Path), true
			continue
		}
		next := filepath.Join(p.Path, name)
		target, dir, err := lstat(next)
		switch {
		case Absent(err):
			return Place{Path: filepath.Join(next, after), Missing: true, Links: p.Links}, nil
		case err != nil:
			return Place{}, err
		case target == "":
			p.Path, p.Dir = next, dir
			continue
		}
		if !slices.Contains(p.Links, next) {
			p.Links = append(p.Links, next)
		}
		if hops++; hops > maxLinks {
			return Place{Missing: true, Links: p.Links}, nil
		}
		if filepath.IsAbs(target) {
			p.Path, p.Dir = "/", true
		}
		rest = target + "/" + after
	}
	return p, nil
}

// Absent reports whether an error says that nothing is at a path, be it for a
// file in the place of a directory.
func Absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
