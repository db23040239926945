//go:build linux

package broker

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// spot is where a path leads: a directory and a name in it, which may have
// slashes at its end.
type spot struct {
	dir  int // an O_PATH descriptor
	name string
}

// last is the name without slashes.
func (s spot) last() string { return strings.TrimRight(s.name, "/") }

// at is the spot's path where its directory has one; "" where that is too long.
func (s spot) at(dirPath string) string {
	if dirPath == "" {
		return ""
	}
	return pathtree.Join(dirPath, s.last())
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// find takes a path of the caller's up to its last name.
func (c *call) find(dirfd int32, path string) (spot, unix.Errno) {
	if path == "" {
		return spot{}, unix.ENOENT
	}
	base, errno := c.at(dirfd, path)
	if errno != 0 {
		return spot{}, errno
	}
	if !waits(c.notify, c.note.id) {
		return spot{}, unix.EINTR
	}
	hops := 0
	return c.findFrom(base, path, &hops)
}

// findFrom does the same from a directory that it starts in, or from the root.
func (c *call) findFrom(base int, path string, hops *int) (spot, unix.Errno) {
	trimmed := strings.TrimRight(path, "/")
	if trimmed == "" {
		root, errno := c.root()
		return spot{root, "."}, errno
	}
	cut := strings.LastIndexByte(trimmed, '/') + 1
	dir, errno := c.directory(base, path[:cut], hops)
	return spot{dir, path[cut:]}, errno
}

const noLinks = unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

// pathDir opens a directory O_PATH, by a path without links.
func pathDir(dir int, path string) (int, error) {
	return unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: noLinks})
}

// directory opens the directory that a path leads to. One call does where no
// link is on the way.
func (c *call) directory(base int, path string, hops *int) (int, unix.Errno) {
	if path == "" {
		return base, 0
	}
	from, rest := base, path
	if path[0] == '/' {
		root, errno := c.root()
		if rest = strings.TrimLeft(path, "/"); errno != 0 || rest == "" {
			return root, errno
		}
		from = root
	}
	fd, err := pathDir(from, rest)
	switch err {
	case nil:
		return c.keep(fd), 0
	case unix.ELOOP:
		return c.walk(from, rest, hops)
	}
	return -1, errnoOf(err)
}

// walk opens the directory that a path leads to, name by name, with the links
// resolved here: the kernel would take an absolute one from srun's own root.
func (c *call) walk(dir int, path string, hops *int) (int, unix.Errno) {
	for path != "" {
		name, rest, _ := strings.Cut(path, "/")
		path = rest
		if name == "" || name == "." {
			continue
		}
		fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC})
		if err != nil {
			return -1, errnoOf(err)
		}
		c.keep(fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return -1, errnoOf(err)
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			dir = fd
			continue
		case unix.S_IFLNK:
		default:
			return -1, unix.ENOTDIR
		}
		if *hops++; *hops > maxLinks {
			return -1, unix.ELOOP
		}
		to, errno := c.follow(dir, name, fd)
		switch {
		case errno != 0:
			return -1, errno
		case to.fd >= 0: // a magic link
			dir = to.fd
			continue
		}
		if to.text[0] == '/' {
			if dir, errno = c.root(); errno != 0 {
				return -1, errno
			}
		}
		if path = to.text + "/" + rest; len(path) > unix.PathMax*(maxLinks+1) {
			return -1, unix.ENAMETOOLONG
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return -1, unix.ENOTDIR
	}
	return dir, 0
}

// target is what a symbolic link leads to: a text, or for a magic link of /proc
// (proc_pid_fd(5)) the file itself, opened O_PATH.
type target struct {
	text string
	fd   int
}

// textLinks are the links of /proc that are no magic ones.
var textLinks = map[string]bool{"self": true, "thread-self": true, "mounts": true, "net": true}

// follow reads a link; fd is the link itself.
func (c *call) follow(dir int, name string, fd int) (target, unix.Errno) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return target{}, errnoOf(err)
	}
	if fs.Type == unix.PROC_SUPER_MAGIC {
		if !textLinks[name] {
			file, err := unix.Openat(dir, name, unix.O_PATH|unix.O_CLOEXEC, 0)
			if err != nil {
				return target{}, errnoOf(err)
			}
			return target{fd: c.keep(file)}, 0
		}
		if name == "self" || name == "thread-self" { // of who reads it
			tgid, tid, errno := c.innerIDs()
			if name == "thread-self" {
				return target{tgid + "/task/" + tid, -1}, errno
			}
			return target{tgid, -1}, errno
		}
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	switch {
	case err != nil:
		return target{}, errnoOf(err)
	case n == 0:
		return target{}, unix.ENOENT
	case n == len(buf):
		return target{}, unix.ENAMETOOLONG
	}
	return target{string(buf[:n]), -1}, 0
}

// next follows the link in a spot to another spot, or to a file.
func (c *call) next(s spot, hops *int) (spot, target, unix.Errno) {
	none := target{fd: -1}
	if *hops++; *hops > maxLinks {
		return s, none, unix.ELOOP
	}
	link, err := unix.Openat2(s.dir, s.last(), &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC})
	if err != nil {
		return s, none, errnoOf(err)
	}
	to, errno := c.follow(s.dir, s.last(), c.keep(link))
	if errno != 0 || to.fd >= 0 {
		return s, to, errno
	}
	slashes := s.name[len(s.last()):]
	s, errno = c.findFrom(s.dir, to.text+slashes, hops)
	return s, none, errno
}

// landing follows links to the spot where a name is that is none, or is not
// there, or to a file by a magic link.
func (c *call) landing(s spot, hops *int) (spot, target, unix.Errno) {
	for {
		var st unix.Stat_t
		err := unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
			return s, target{fd: -1}, 0
		}
		to, file, errno := c.next(s, hops)
		if errno != 0 || file.fd >= 0 {
			return s, file, errno
		}
		s = to
	}
}

// pathOf is where a descriptor is, in the caller's view; "" where that cannot be
// told.
func (c *call) pathOf(fd int) string {
	n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), c.buf)
	if err == unix.ENAMETOOLONG || err == nil && n == len(c.buf) {
		return c.longPath(fd)
	}
	if err != nil {
		return ""
	}
	return string(c.buf[:n])
}

// maxDepth bounds how far up a path is looked for that no call tells.
const maxDepth = 10_000

// longPath finds the path of a directory that is longer than PATH_MAX, name by
// name, as getcwd(3) does.
func (c *call) longPath(fd int) string {
	below, at := "", -1
	defer func() { unix.Close(at) }()
	for range maxDepth {
		up, err := pathDir(fd, "..")
		if err != nil {
			return ""
		}
		name := nameIn(up, fd)
		unix.Close(at)
		at = up
		if name == "" {
			return ""
		}
		below = "/" + name + below
		n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(up), c.buf)
		if err == nil && n < len(c.buf) {
			return strings.TrimSuffix(string(c.buf[:n]), "/") + below
		}
		fd = up
	}
	return ""
}

// nameIn is a directory's name in the one above it, "" where it is not found.
func nameIn(dir, sub int) string {
	id, ok := dirIDAt(sub, "")
	if !ok {
		return ""
	}
	entries, err := list(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if there, ok := dirIDAt(dir, e.name); ok && there == id {
			return e.name
		}
	}
	return ""
}
