//go:build linux

package broker

import "srun/policy/gitfiles"

// judgeContent judges a file that gets a name which git's own files may have if
// their content may be. Until release nobody can write it.
func (c *call) judgeContent(why *Why, from, to spot, toDir string) (release func(), _ *Why) {
	switch why.Rule {
	case gitSequencer:
		return c.judgeSequencer(from.dir, from.last())
	case gitConfig:
		return c.judgeConfig(from, to, toDir)
	case gitIndex:
		return c.judgeIndex(from, to, c.objectSize(to.dir))
	case gitRerere:
		return c.judgeRerere(from.dir, from.last(), to.dir, toDir)
	}
	return func() {}, why
}

// judgeInto judges a directory that comes to a name in a git directory.
func (c *call) judgeInto(from spot, fromDir string, to spot, toDir string) *Why {
	if c.isGitDir(to.dir, toDir) {
		if why := c.judgeAs(from.dir, from.last(), to); why != nil {
			return why
		}
	}
	if why := c.judgeIndexesInto(from, to, toDir); why != nil {
		return why
	}
	if fromDir != "" && c.inGitDir(from.dir, fromDir) {
		return nil
	}
	fd, err := openDir(from.dir, from.last())
	if err != nil {
		return &unseen
	}
	c.keep(fd)
	left := mostScanned
	return noLinksBelow(fd, &left)
}

// judgeAs judges a directory as what git makes of it by the name that it gets.
func (c *call) judgeAs(dir int, name string, to spot) *Why {
	switch to.last() {
	case "hooks", "remotes", "branches":
		return judgeEntries(dir, name, to.last())
	case sequencerDir:
		return c.judgeSequencerDir(dir, name)
	case "info":
		fd, err := openDir(dir, name)
		if err != nil {
			return &unseen
		}
		if there(c.keep(fd), "attributes") && c.isOld(to.dir) {
			return gitWhy("attaches filters and merge drivers to files")
		}
	}
	return nil
}

// judgeConfig judges what git's configuration becomes. The file that has it now
// stays settled until release.
func (c *call) judgeConfig(from, to spot, toDir string) (release func(), why *Why) {
	data, release, why := c.settled(from.dir, from.last(), maxConfig)
	switch {
	case why != nil:
		return func() {}, why
	case data == nil:
		return func() {}, gitWhy(gitConfig)
	}
	before := []byte(nil)
	options := c.git(toDir)
	options.OneWorktree = to.last() == "config.worktree"
	if c.isOld(to.dir) {
		had, releaseOld, w := c.settled(to.dir, to.last(), maxConfig)
		if before, why = had, w; releaseOld != nil {
			releaseOld()
		}
	}
	if why == nil && !options.OneWorktree {
		why = c.judgeFormat(to.dir, data)
	}
	reason := ""
	switch {
	case why != nil:
	case !c.isOld(to.dir):
		reason = gitfiles.Judge(data, options)
	default:
		if reason = gitfiles.JudgeChange(before, data, options); reason == "" {
			why = c.judgeAgain(to.dir, data)
		}
	}
	if reason != "" {
		why = gitWhy("git configuration: " + reason)
	}
	if why != nil {
		release()
		return func() {}, why
	}
	return release, nil
}
