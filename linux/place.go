//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// place is where a path leads.
type place struct {
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
func walk(path string, lstat lstatFunc) (place, error) {
	p := place{path: "/", dir: true}
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
			return place{path: filepath.Join(next, after), missing: true, links: p.links}, nil
		case err != nil:
			return place{}, err
		case target == "":
			p.path, p.dir = next, dir
			continue
		}
		if !slices.Contains(p.links, next) {
			p.links = append(p.links, next)
		}
		if hops++; hops > maxLinks {
			return place{missing: true, links: p.links}, nil
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
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

// finder finds places on this host. Most paths of a plan share few directories,
// so it asks once for each whether a link leads there, and then for the name in
// it alone. What changes meanwhile is init's to notice: it follows no link.
type finder struct{ dirs map[string]dirState }

type dirState int

const (
	dirUnknown dirState = iota
	dirPlain            // there, and no link on the way
	dirAbsent
	dirOther // by way of a link, or not to be looked at
)

func newFinder() *finder { return &finder{map[string]dirState{"/": dirPlain}} }

func (f *finder) find(path string) (place, error) {
	switch f.dir(filepath.Dir(path)) {
	case dirAbsent:
		return place{path: path, missing: true}, nil
	case dirPlain:
		target, dir, err := lstat(path)
		switch {
		case absent(err):
			return place{path: path, missing: true}, nil
		case err == nil && target == "":
			return place{path: path, dir: dir}, nil
		}
	}
	return walk(path, lstat)
}

func (f *finder) dir(dir string) dirState {
	state := f.dirs[dir]
	if state != dirUnknown {
		return state
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, dir, &how)
	switch {
	case err == nil:
		unix.Close(fd)
		state = dirPlain
	case f.dirs[filepath.Dir(dir)] == dirAbsent || absent(err):
		state = dirAbsent
	default:
		state = dirOther
	}
	f.dirs[dir] = state
	return state
}

func lstat(path string) (target string, dir bool, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return "", false, os.NewSyscallError("lstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlink(path, buf)
	if err == nil && n == 0 {
		err = unix.EINVAL
	}
	return string(buf[:max(n, 0)]), false, os.NewSyscallError("readlink", err)
}
