//go:build linux

package broker

import (
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// former knows what repositories that were there said of their remotes, after their
// configuration was removed, and where old directories that were moved come from:
// both by the paths that they had when the run began.
type former struct {
	mu      sync.Mutex
	remotes map[string][]gitfiles.Entry // by git directory
	count   int
	homes   map[bornID]string // of directories that were moved
	full    bool              // more than can be remembered, or known
}

// mostRemotes bounds the entries that are remembered.
const mostRemotes = 100_000

// homeOf is where a directory would be if nothing had been moved.
func (c *call) homeOf(dir int) (home string, ok bool) {
	p := c.pathOf(dir)
	c.former.mu.Lock()
	defer c.former.mu.Unlock()
	if len(c.former.homes) == 0 {
		return p, p != ""
	}
	rest := ""
	for at := p; at != ""; at = path.Dir(at) {
		id, ok := dirIDAt(dir, "")
		if !ok {
			return "", false
		}
		if home, known := c.former.homes[id]; known {
			return path.Join(home, rest), true
		}
		if at == "/" {
			return p, true
		}
		rest = path.Join(path.Base(at), rest)
		up, err := pathDir(dir, "..")
		if err != nil {
			return "", false
		}
		dir = c.keep(up)
	}
	return "", false
}

// leavesHome is told before a directory gets another name.
func (c *call) leavesHome(id bornID, from spot) {
	if c.ages.isNew(id) {
		return
	}
	home, ok := c.homeOf(from.dir)
	c.former.mu.Lock()
	defer c.former.mu.Unlock()
	switch _, known := c.former.homes[id]; {
	case known:
	case !ok || len(c.former.homes) >= mostFreed:
		c.former.full = true
	default:
		if c.former.homes == nil {
			c.former.homes = map[bornID]string{}
		}
		c.former.homes[id] = pathtree.Join(home, from.last())
	}
}

var forgotten = Why{Reason: "more remotes of git repositories than can be remembered"}

// judgeRemoval judges taking a configuration away, and remembers the remotes of one
// that was there.
func (c *call) judgeRemoval(dir int, dirPath, name string) *Why {
	if name != "config" || !c.isGitDir(dir, dirPath) {
		return nil
	}
	text, _, err := readIn(dir, name, unix.O_RDONLY)
	if err == unix.ENOENT || err == unix.EINVAL || err == unix.ELOOP {
		return nil
	}
	if err != nil {
		return gitWhy("git's configuration, which cannot be read")
	}
	if why := c.judgeFormat(dir, nil); why != nil || !c.isOld(dir) {
		return why
	}
	home, ok := c.homeOf(dir)
	if !ok {
		return &unseen
	}
	entries := gitfiles.Remotes([]byte(text))
	c.former.mu.Lock()
	defer c.former.mu.Unlock()
	if had := c.former.remotes[home]; slices.Equal(had[max(0, len(had)-len(entries)):], entries) {
		return nil
	}
	if c.former.count += len(entries); c.former.count > mostRemotes {
		return &forgotten
	}
	if c.former.remotes == nil {
		c.former.remotes = map[string][]gitfiles.Entry{}
	}
	c.former.remotes[home] = append(c.former.remotes[home], entries...)
	return nil
}

// judgeAgain judges a configuration in a git directory that takes the place of one
// that was there.
func (c *call) judgeAgain(dir int, data []byte) *Why {
	home, ok := c.homeOf(dir)
	if !ok {
		return &unseen
	}
	return c.judgeAt(home, data)
}

// judgeAt does so by the path of the git directory.
func (c *call) judgeAt(home string, data []byte) *Why {
	moved, full := c.ages.moves()
	c.former.mu.Lock()
	defer c.former.mu.Unlock()
	if (full || c.former.full) && len(gitfiles.Remotes(data)) > 0 {
		return &forgotten
	}
	was := slices.Clone(c.former.remotes[home])
	for _, m := range moved {
		id, ok := dirIDAt(m.dir, "")
		if !ok {
			return &unseen
		}
		rest, below := strings.CutPrefix(home+"/", c.former.homes[id]+"/")
		if !below {
			continue
		}
		text, _, err := readIn(m.dir, path.Join(rest, "config"), unix.O_RDONLY)
		if err == unix.EACCES {
			return &unseen
		}
		was = append(was, gitfiles.Remotes([]byte(text))...)
	}
	if reason := gitfiles.JudgeAgain(was, data); reason != "" {
		return gitWhy("git configuration: " + reason)
	}
	return nil
}

// moves are the old directories that are elsewhere now.
func (a *ages) moves() (moved []move, full bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.moved), a.full
}

// judgeTaken judges a directory that comes to the place of one that was there, as
// far as it is a git directory.
func (s *scan) judgeTaken(fd int, at string) *Why {
	if !s.isGitDir(fd, at) || s.rules.AllowGitConfig {
		return nil
	}
	text, _, err := readIn(fd, "config", unix.O_RDONLY)
	if err == unix.ENOENT {
		return nil
	}
	home, ok := s.homeOf(s.toDir)
	if err != nil || !ok {
		return &unseen
	}
	return s.judgeAt(path.Join(home, strings.TrimPrefix(at, path.Dir(s.to))), []byte(text))
}
