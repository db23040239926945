//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// place is where a path leads.
type Place struct {
	path    string // absolute, without a symbolic link as far as it exists; "" where links go in a circle
	dir     bool
	missing bool     // nothing is there
	links   []string // the symbolic links on the way, each by a path without one
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// lstatFunc tells what is at a path whose directory has no symbolic link: a
// link's target, or whether it is a directory.
type lstatFunc func(path string) (target string, dir bool, err error)

// walk follows a path name by name, as the kernel does.
func walk(path string, lstat lstatFunc) (Place, error) {
	p := Place{path: "/", dir: true}
	hops := 0
	for rest := path; rest != ""; {
		name, after, _ := strings.Cut(rest, "/")
		rest = after
		switch name {
		case "", ".":
			continue
		case "..":
			p.path, p.dir = filepath.Dir(p.path), true
			continue
		}
		next := filepath.Join(p.path, name)
		target, dir, err := lstat(next)
		switch {
		case absent(err):
			return Place{path: filepath.Join(next, after), missing: true, links: p.links}, nil
		case err != nil:
			return Place{}, err
		case target == "":
			p.path, p.dir = next, dir
			continue
		}
		if !slices.Contains(p.links, next) {
			p.links = append(p.links, next)
		}
		if hops++; hops > maxLinks {
			return Place{missing: true, links: p.links}, nil
		}
		if filepath.IsAbs(target) {
			p.path, p.dir = "/", true
		}
		rest = target + "/" + after
	}
	return p, nil
}

// absent reports whether an error says that nothing is at a path, be it for a
// file in the place of a directory.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
