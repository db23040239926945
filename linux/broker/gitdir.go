//go:build linux

package broker

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// In a git directory only what runs nothing may be made: no hooks, no links to
// elsewhere, and configuration that is judged as a whole at the moment when it
// gets its name, from a file that nobody can write any more.

// gitNames are the names that make a git directory of a directory, or tell git
// what to run or where to write.
var gitNames = []string{"HEAD", "objects", "refs", "commondir", "config", "config.worktree", "hooks", "remotes", "branches", ".git", "index", "MERGE_RR"}

// isGitDir tells whether git takes a directory for a repository's: by its name, or
// by what is in it. One that may not be searched, so that its names cannot be looked
// at, is one unless the command made it and did not make that of it.
func (b *Broker) isGitDir(dir int, dirPath string) bool {
	if path.Base(dirPath) == ".git" {
		return true
	}
	makes, closed := makesGitDir(dir, "")
	if makes || !closed {
		return makes
	}
	id, ok := dirIDAt(dir, "")
	return !ok || !b.ages.isPlain(id)
}

func there(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// makesGitDir tells whether what is in a directory, with one more name, makes a git
// directory of it (is_git_directory in git's setup.c), or whether that cannot be
// looked at. A HEAD and a commondir make one of what has objects and refs, wherever
// that is, so these two are enough.
func makesGitDir(dir int, more string) (makes, closed bool) {
	with := func(name string) bool {
		var st unix.Stat_t
		if name == more {
			return true
		}
		err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		closed = closed || err == unix.EACCES
		return err == nil
	}
	return with("objects") && with("refs") || with("HEAD") && with("commondir"), closed
}

const (
	gitSequencer = "options of a cherry-pick written in place"
	gitHook      = "a hook of a git repository"
	gitConfig    = "git configuration written in place"
	gitURLs      = "names repositories for git push"
	gitLink      = "a link in a git directory"
	gitMoves     = "says where git's configuration and hooks are"
	gitIndex     = "git's index written in place"
	gitRerere    = "conflicts for git rerere written in place"
)

func gitWhy(reason string) *Why {
	return &Why{Reason: protectedPath + ": " + reason, Rule: reason, Protected: true}
}

// judgeGit judges a name by what git would make of it.
func (c *call) judgeGit(a act, dir int, dirPath, name string) *Why {
	p := pathtree.Join(dirPath, name)
	if c.rules.Opened != nil && c.rules.Opened(p) {
		return nil
	}
	if a == removeAct && !c.renames() {
		// A repository may be removed with all that is in it: what comes to its names
		// later is judged. That of the working directory stays.
		if c.rules.Kept[p] {
			return gitWhy("git's configuration")
		}
		return c.judgeRemoval(dir, dirPath, name)
	}
	if why := c.judgeGitParent(a, dir, dirPath, name); why != nil {
		return why
	}
	switch name {
	case ".git":
		var st unix.Stat_t
		if unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || !c.isOld(dir) {
			break
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR || a == removeAct && c.renames() && !c.isNewAt(dir, name) {
			return gitWhy("says where the repository is")
		}
	case "config", "config.worktree":
		if a == removeAct && !c.isOld(dir) {
			return c.judgeRemoval(dir, dirPath, name)
		}
		if !c.isGitDir(dir, dirPath) || c.rules.AllowGitConfig && name == "config" {
			return nil
		}
		return gitWhy(gitConfig)
	case "commondir":
		if !c.opens() && a == makeAct && (c.isGitDir(dir, dirPath) || isWorktreeDir(dirPath)) || a == writeAct && c.isGitDir(dir, dirPath) && there(dir, name) {
			return gitWhy(gitMoves)
		}
	}
	if rule := stateRule(name); rule != "" && a != removeAct && c.isGitDir(dir, dirPath) {
		return gitWhy(rule)
	}
	if a == makeAct && (name == "HEAD" || name == "objects" || name == "refs" || name == "commondir") {
		return c.judgePart(dir, dirPath, name)
	}
	return nil
}

// judgePart judges a name that may make a git directory of one that was none.
func (c *call) judgePart(dir int, dirPath, name string) *Why {
	if makes, closed := makesGitDir(dir, name); !makes && !closed {
		return nil
	}
	was := c.isGitDir(dir, dirPath)
	fd, err := openDir(dir, ".")
	if err != nil {
		return &unseen
	}
	c.keep(fd)
	if id, ok := bornIDAt(fd, ""); ok {
		c.ages.repository(id)
	}
	if was {
		return nil
	}
	return c.judgeRepository(fd, dirPath)
}

// judgeGitParent judges what lies in a git directory's hooks, info, remotes or
// branches.
func (c *call) judgeGitParent(a act, dir int, dirPath, name string) *Why {
	base := path.Base(dirPath)
	if base == sequencerDir && name == "opts" && a != removeAct && c.inGitDir(dir, dirPath) {
		return gitWhy(gitSequencer)
	}
	if base != "hooks" && base != "remotes" && base != "branches" && (base != "info" || name != "attributes") {
		return nil
	}
	up, err := pathDir(dir, "..")
	if err != nil {
		return &unseen
	}
	c.keep(up)
	switch {
	case !c.isGitDir(up, path.Dir(dirPath)), a == removeAct && !c.isOld(dir):
		return nil
	case base == "hooks" && strings.HasSuffix(name, ".sample"):
		return nil
	case base == "hooks":
		return gitWhy(gitHook)
	case base == "info" && !c.isOld(up):
		return nil
	case base == "info":
		return gitWhy("attaches filters and merge drivers to files")
	}
	return gitWhy(gitURLs)
}

// inGitDir tells whether a directory is a git directory or lies in one.
func (c *call) inGitDir(dir int, dirPath string) bool {
	if strings.Contains(dirPath+"/", "/.git/") {
		return true
	}
	for p := dirPath; ; p = path.Dir(p) {
		if c.isGitDir(dir, p) {
			return true
		}
		if p == "/" || p == "." {
			return false
		}
		up, err := pathDir(dir, "..")
		if err != nil {
			return c.belowGitDir(dir, p)
		}
		dir = c.keep(up)
	}
}

// belowGitDir is for a directory that nobody may search: its own names cannot be
// looked at, and those above it by their path alone.
func (c *call) belowGitDir(dir int, p string) bool {
	if id, ok := bornIDAt(dir, ""); !ok || !c.ages.isPlain(id) {
		return true
	}
	root, errno := c.root()
	if errno != 0 {
		return true
	}
	hops := maxLinks // there is no link in such a path
	up, errno := c.directory(root, path.Dir(p), &hops)
	return errno != 0 || c.inGitDir(up, path.Dir(p))
}

// probe is the link by which git finds out whether a file system has them
// (create_default_files in git's setup.c). It leads nowhere.
func isGitProbe(dirPath, name, text string) bool {
	return text == "testing" && len(name) == 7 && name[0] == 't'
}
