//go:build linux

package broker

import (
	"path"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// worktrees are the directories that configurations of submodules name as theirs
// (core.worktree). Git writes there wherever a link would lead it, so none comes to
// such a path, nor to one on the way.
type worktrees struct {
	mu    sync.Mutex
	paths map[string]bool
}

const mostWorktrees = 10_000

// mayBeWorktree tells whether a submodule's configuration may name a worktree: its
// place in that of the repository that it is in, with a .git file that leads back.
func (c *call) mayBeWorktree(dirPath, value string) bool {
	super, _, ok := strings.Cut(dirPath, "/.git/modules/")
	to := path.Join(dirPath, value)
	if !ok || path.IsAbs(value) || to == super || !pathtree.Contains(super, to) || pathtree.Contains(super+"/.git", to) {
		return false
	}
	root, errno := c.root()
	if errno != 0 {
		return false
	}
	hops := maxLinks // no link on the way
	dir, errno := c.directory(root, to, &hops)
	if errno != 0 {
		return false
	}
	text, _, err := readIn(dir, ".git", unix.O_RDONLY)
	if err != nil || gitfiles.Target(path.Join(to, ".git"), []byte(text)) != dirPath {
		return false
	}
	c.worktrees.mu.Lock()
	defer c.worktrees.mu.Unlock()
	if c.worktrees.paths == nil {
		c.worktrees.paths = map[string]bool{}
	}
	if !c.worktrees.paths[to] && len(c.worktrees.paths) >= mostWorktrees {
		return false
	}
	c.worktrees.paths[to] = true
	return true
}

var linkedWorktree = Why{Reason: protectedPath + ": a link in the place of a submodule", Protected: true}

// judgeWorktreeLink judges a link that comes to a path.
func (c *call) judgeWorktreeLink(p string) *Why {
	c.worktrees.mu.Lock()
	defer c.worktrees.mu.Unlock()
	for worktree := range c.worktrees.paths {
		if pathtree.Contains(p, worktree) {
			return &linkedWorktree
		}
	}
	return nil
}

// judgeWorktreeMoved judges a directory that comes to a path.
func (c *call) judgeWorktreeMoved(from spot, p string) *Why {
	c.worktrees.mu.Lock()
	defer c.worktrees.mu.Unlock()
	for worktree := range c.worktrees.paths {
		rest, below := strings.CutPrefix(worktree, p+"/")
		if !below {
			continue
		}
		fd, err := pathDir(from.dir, path.Join(from.last(), rest))
		switch err {
		case nil:
			unix.Close(fd)
		case unix.ENOENT, unix.ENOTDIR:
		default:
			return &linkedWorktree
		}
	}
	return nil
}
