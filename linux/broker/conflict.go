//go:build linux

package broker

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// git rerere reads and writes the paths of MERGE_RR through links, as no other part
// of git does. So none of them is a link when the file gets its name, and none comes to
// such a path afterwards.

var linkedConflict = Why{Reason: protectedPath + ": a link in the place of a file that git rerere writes", Protected: true}

// conflicts calls f with each path that a git directory's MERGE_RR has.
func conflicts(gitDir int, f func(name string) bool) (found bool) {
	text, _, err := readIn(gitDir, "MERGE_RR", unix.O_RDONLY)
	if err != nil || text == "" {
		return err == unix.EACCES
	}
	paths, _ := gitfiles.RererePaths([]byte(text))
	for _, name := range paths {
		found = found || f(name)
	}
	return found
}

// isLinked tells whether a link is on the way to a path, or at its end.
func isLinked(dir int, name string) bool {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: noLinks})
	if err == nil {
		unix.Close(fd)
	}
	return err != nil && err != unix.ENOENT && err != unix.ENOTDIR
}

// judgeConflict judges a link that comes to a path, or a directory with what is in
// it: from is where that is, -1 for a link.
func (c *call) judgeConflict(dir int, dirPath, name string, from spot) *Why {
	p := pathtree.Join(dirPath, name)
	for at := dirPath; at != ""; at = path.Dir(at) {
		if gitDir := c.gitDirOf(dir, at); gitDir >= 0 && conflicts(gitDir, func(conflict string) bool {
			rest, below := strings.CutPrefix(pathtree.Join(at, conflict)+"/", p+"/")
			return below && (from.dir < 0 || isLinked(from.dir, path.Join(from.last(), rest)))
		}) {
			return &linkedConflict
		}
		if at == "/" || at == "." {
			return nil
		}
		up, err := pathDir(dir, "..")
		if err != nil {
			return &unseen
		}
		dir = c.keep(up)
	}
	return nil
}

// gitDirOf opens the git directory of a worktree, -1 where there is none.
func (c *call) gitDirOf(dir int, dirPath string) int {
	fd, err := pathDir(dir, ".git")
	if err == nil {
		return c.keep(fd)
	}
	if err != unix.ENOTDIR {
		return -1
	}
	text, _, err := readIn(dir, ".git", unix.O_RDONLY)
	target := gitfiles.Target(path.Join(dirPath, ".git"), []byte(text))
	if err != nil || target == "" {
		return -1
	}
	root, errno := c.root()
	if errno != 0 {
		return -1
	}
	hops := 0
	if fd, errno = c.directory(root, target, &hops); errno != 0 {
		return -1
	}
	return fd
}

// linkedConflicts tells whether one of the paths leads through a link in the worktree
// of a git directory. A bare one has none.
func (c *call) linkedConflicts(gitDir int, dirPath string, paths []string) bool {
	worktree := path.Dir(dirPath)
	if path.Base(dirPath) != ".git" {
		text, _, err := readIn(gitDir, "gitdir", unix.O_RDONLY)
		if worktree = path.Dir(strings.TrimSpace(text)); err != nil {
			config, _, _ := readIn(gitDir, "config", unix.O_RDONLY)
			worktree = gitfiles.Worktree(dirPath, []byte(config))
		}
	}
	root, errno := c.root()
	if errno != 0 || worktree == "" {
		return false
	}
	hops := 0
	dir, errno := c.directory(root, worktree, &hops)
	if errno != 0 {
		return false
	}
	for _, name := range paths {
		if isLinked(dir, name) {
			return true
		}
	}
	return false
}
