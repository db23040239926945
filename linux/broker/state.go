//go:build linux

package broker

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// Git's index and the conflicts of git rerere are lists of paths that git reads and
// writes without a look at where they lead. Git gives both their names by rename, so
// they are judged then.

const sharedIndex = "sharedindex." // the part of a split index that stays as it is

// maxIndex bounds what is read of an index, in bytes: a million files and more.
const maxIndex = 256 << 20

// stateRule is why a name may not be written in place in a git directory, "" for
// names that may.
func stateRule(name string) string {
	switch {
	case name == "index" || strings.HasPrefix(name, sharedIndex):
		return gitIndex
	case name == "MERGE_RR":
		return gitRerere
	}
	return ""
}

// judgeIndex judges an index that gets its name.
func (c *call) judgeIndex(from, to spot, size int) (release func(), why *Why) {
	data, release, why := c.settled(from.dir, from.last(), maxIndex)
	switch {
	case why != nil:
		return func() {}, why
	case data == nil:
		return func() {}, gitWhy(gitIndex)
	}
	if reason := gitfiles.JudgeIndex(data, size, func() []byte { return c.oldIndex(to) }); reason != "" {
		release()
		return func() {}, gitWhy(reason)
	}
	return release, nil
}

// oldIndex is the index that a repository had when the run began, or one that was
// judged beside it.
func (c *call) oldIndex(at spot) []byte {
	if !c.isOld(at.dir) {
		return nil
	}
	data, release, why := c.settled(at.dir, at.last(), maxIndex)
	if why != nil || data == nil {
		return nil
	}
	release()
	return data
}

// judgeRerere judges such conflicts where they are.
func (c *call) judgeRerere(dir int, name string, gitDir int, gitPath string) (release func(), why *Why) {
	data, release, why := c.settled(dir, name, maxConfig)
	switch {
	case why != nil:
		return func() {}, why
	case data == nil:
		return func() {}, gitWhy(gitRerere)
	}
	paths, reason := gitfiles.RererePaths(data)
	if reason != "" {
		why = gitWhy(reason)
	} else if gitPath != "" && c.linkedConflicts(gitDir, gitPath, paths) {
		why = &linkedConflict
	}
	if why != nil {
		release()
		return func() {}, why
	}
	return release, nil
}

// judgeIndexes judges the indexes of what becomes a git directory, and of its linked
// worktrees, where an object's name has so many bytes.
func (c *call) judgeIndexes(dir, size int) *Why {
	entries, err := list(dir)
	if err != nil {
		return &unseen
	}
	for _, e := range entries {
		release, why := func() {}, (*Why)(nil)
		switch rule := stateRule(e.name); {
		case rule == "":
		case e.kind != unix.S_IFREG:
			why = gitWhy(rule)
		case rule == gitIndex:
			release, why = c.judgeIndex(spot{dir, e.name}, spot{dir, e.name}, size)
		default:
			release, why = c.judgeRerere(dir, e.name, dir, c.pathOf(dir))
		}
		if release(); why != nil {
			return why
		}
	}
	return c.judgeWorktreeIndexes(dir, "worktrees", size)
}

func (c *call) judgeWorktreeIndexes(dir int, name string, size int) *Why {
	all, err := openDir(dir, name)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nil
	}
	if err != nil {
		return &unseen
	}
	entries, err := list(c.keep(all))
	for _, e := range entries {
		if e.kind != unix.S_IFDIR || !there(all, e.name+"/index") {
			continue
		}
		one, err := openDir(all, e.name)
		if err != nil {
			return &unseen
		}
		why := c.judgeIndexes(one, size)
		unix.Close(one)
		if why != nil {
			return why
		}
	}
	if err != nil {
		return &unseen
	}
	return nil
}

// judgeIndexesInto judges the indexes of linked worktrees whose directory, or that of
// all of them, comes into a git directory: they were judged by another's format.
func (c *call) judgeIndexesInto(from, to spot, toDir string) *Why {
	switch {
	case to.last() == "worktrees":
		return c.judgeWorktreeIndexes(from.dir, from.last(), c.objectSize(to.dir))
	case path.Base(toDir) == "worktrees" && there(from.dir, from.last()+"/commondir"):
		common, err := pathDir(to.dir, "..")
		if err != nil {
			return &unseen
		}
		fd, err := openDir(from.dir, from.last())
		if err != nil {
			return &unseen
		}
		return c.judgeIndexes(c.keep(fd), c.objectSize(c.keep(common)))
	}
	return nil
}

// objectSize is the size of an object's name in a git directory, in bytes. Git reads
// the configuration that it shares with others, and then not its own; 0 is that
// there is none to read.
func (c *call) objectSize(dir int) int {
	shared, _, err := readIn(dir, "commondir", unix.O_RDONLY)
	if err == nil {
		hops := 0
		common, errno := c.directory(dir, strings.TrimSpace(shared), &hops)
		if errno != 0 {
			return 0
		}
		dir = common
	} else if err != unix.ENOENT {
		return 0
	}
	text, _, _ := readIn(dir, "config", unix.O_RDONLY)
	return gitfiles.ObjectSize([]byte(text))
}

// judgeFormat judges whether a configuration would have git read an index that is
// there in another way than it was judged.
func (c *call) judgeFormat(dir int, config []byte) *Why {
	text, _, _ := readIn(dir, "config", unix.O_RDONLY)
	if gitfiles.ObjectSize(config) == gitfiles.ObjectSize([]byte(text)) || !there(dir, "index") && !there(dir, "worktrees") {
		return nil
	}
	return gitWhy("git configuration: extensions.objectformat is changed beside an index")
}
