//go:build linux

package broker

import (
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// In a git directory only what runs nothing may be made: no hooks, no links to
// elsewhere, and configuration that is judged as a whole at the moment when it
// gets its name, from a file that nobody can write any more.

// gitNames are the names that make a git directory of a directory, or tell git
// what to run.
var gitNames = []string{"HEAD", "objects", "refs", "commondir", "config", "config.worktree", "hooks", "remotes", "branches", ".git"}

// isGitDir tells whether git takes a directory for a repository's: by its name,
// or by what is in it (gitrepository-layout(5)).
func isGitDir(dir int, dirPath string) bool {
	if path.Base(dirPath) == ".git" {
		return true
	}
	return there(dir, "HEAD") && (there(dir, "commondir") || there(dir, "objects") && there(dir, "refs"))
}

func there(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// becomesGitDir tells whether one more name makes a git directory of one that
// is none.
func becomesGitDir(dir int, name string) bool {
	with := func(n string) bool { return n == name || there(dir, n) }
	return with("HEAD") && (with("commondir") || with("objects") && with("refs"))
}

const (
	gitSequencer = "options of a cherry-pick written in place"
	gitHook      = "a hook of a git repository"
	gitConfig    = "git configuration written in place"
	gitURLs      = "names repositories for git push"
	gitLink      = "a link in a git directory"
	gitMoves     = "says where git's configuration and hooks are"
)

func gitWhy(reason string) *Why {
	return &Why{Reason: protectedPath + ": " + reason, Rule: reason, Protected: true}
}

// judgeGit judges a name by what git would make of it.
func (c *call) judgeGit(a act, dir int, dirPath, name string) *Why {
	p := join(dirPath, name)
	if c.rules.Opened != nil && c.rules.Opened(p) {
		return nil
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
		if st.Mode&unix.S_IFMT != unix.S_IFDIR || a == removeAct && c.what != callRmdir && c.what != callUnlinkat && !c.ages.isNew(idOf(&st)) {
			return gitWhy("says where the repository is")
		}
	case "config", "config.worktree":
		if !isGitDir(dir, dirPath) || a == removeAct && !c.isOld(dir) || c.rules.AllowGitConfig && name == "config" {
			return nil
		}
		return gitWhy(gitConfig)
	case "commondir":
		if a == writeAct && isGitDir(dir, dirPath) && there(dir, name) {
			return gitWhy(gitMoves)
		}
	case "hooks", "remotes", "branches":
		if a != removeAct && isGitDir(dir, dirPath) && c.isOld(dir) && !there(dir, name) {
			return gitWhy("git runs or follows what is in it")
		}
	}
	if a != makeAct || name != "HEAD" && name != "objects" && name != "refs" && name != "commondir" {
		return nil
	}
	if path.Base(dirPath) == ".git" || isGitDir(dir, dirPath) || !becomesGitDir(dir, name) {
		return nil
	}
	fd, err := openDir(dir, ".")
	if err != nil {
		return &unseen
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		c.ages.repository(idOf(&st))
	}
	return c.judgeRepository(c.keep(fd))
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
	case !isGitDir(up, path.Dir(dirPath)), a == removeAct && !c.isOld(dir):
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

// judgeRepository judges a directory that becomes a git directory, as a whole.
func (c *call) judgeRepository(fd int) *Why {
	if !c.rules.AllowGitConfig {
		for _, name := range []string{"config", "config.worktree"} {
			if why := c.judgeConfigFile(fd, name); why != nil {
				return why
			}
		}
	}
	for _, name := range []string{"hooks", "remotes", "branches"} {
		if why := judgeEntries(fd, name); why != nil {
			return why
		}
	}
	if why := c.judgeSequencerDir(fd, sequencerDir); why != nil {
		return why
	}
	left := mostScanned
	return noLinksBelow(fd, &left)
}

// judgeSequencerDir judges the options of a cherry-pick in a directory.
func (c *call) judgeSequencerDir(dir int, name string) *Why {
	fd, err := openDir(dir, name)
	switch {
	case err == unix.ENOENT || err == unix.ENOTDIR:
		return nil
	case err != nil:
		return &unseen
	}
	c.keep(fd)
	release, why := c.judgeSequencer(fd, "opts")
	release()
	return why
}

// judgeSequencer judges such options where they are.
func (c *call) judgeSequencer(dir int, name string) (release func(), why *Why) {
	data, release, why := c.settled(dir, name)
	if why != nil || data == nil {
		return func() {}, why
	}
	if reason := gitfiles.JudgeSequencer(data); reason != "" {
		release()
		return func() {}, gitWhy(reason)
	}
	return release, nil
}

func judgeEntries(fd int, name string) *Why {
	sub, err := openDir(fd, name)
	switch {
	case err == unix.ENOENT:
		return nil
	case err != nil:
		return gitWhy(name + " is no directory that can be read")
	}
	defer unix.Close(sub)
	entries, err := list(sub)
	if err != nil {
		return &unseen
	}
	for _, e := range entries {
		switch {
		case name == "hooks" && !strings.HasSuffix(e.name, ".sample"):
			return gitWhy(gitHook)
		case name != "hooks":
			return gitWhy(gitURLs)
		}
	}
	return nil
}

// noLinksBelow refuses symbolic links: git would write through them.
func noLinksBelow(fd int, left *int) *Why {
	entries, err := list(fd)
	if err != nil {
		return &unseen
	}
	for _, e := range entries {
		if *left--; *left < 0 {
			return &tooLarge
		}
		switch e.kind {
		case unix.S_IFLNK:
			return gitWhy(gitLink)
		case unix.S_IFDIR:
			sub, err := openDir(fd, e.name)
			if err != nil {
				return &unseen
			}
			why := noLinksBelow(sub, left)
			unix.Close(sub)
			if why != nil {
				return why
			}
		}
	}
	return nil
}

// judgeConfigFile judges a configuration file where it is.
func (c *call) judgeConfigFile(dir int, name string) *Why {
	data, release, why := c.settled(dir, name)
	if why != nil || data == nil {
		return why
	}
	defer release()
	if reason := gitfiles.Judge(data, c.rules.Git); reason != "" {
		return gitWhy("git configuration: " + reason)
	}
	return nil
}

// maxConfig bounds what is read of a configuration, in bytes.
const maxConfig = 1 << 20

// settled reads a file that has one name and that nobody has open for writing,
// nor can open until release: a lease makes sure of it (fcntl(2), F_SETLEASE).
// No data and no reason is that nothing is there.
func (c *call) settled(dir int, name string) (data []byte, release func(), why *Why) {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC, Resolve: noLinks,
	})
	switch {
	case err == unix.ENOENT:
		return nil, nil, nil
	case err != nil:
		return nil, nil, gitWhy(name + " cannot be read")
	}
	f := os.NewFile(uintptr(fd), name)
	release = func() { f.Close() } // and the lease with it
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 {
		release()
		return nil, nil, gitWhy(name + " is no plain file with one name")
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
		release()
		return nil, nil, gitWhy(name + " is still open for writing")
	}
	data, err = io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil || len(data) > maxConfig {
		release()
		return nil, nil, gitWhy(name + " cannot be read, or is too large")
	}
	if data == nil {
		data = []byte{}
	}
	return data, release, nil
}

// inGitDir tells whether a directory is a git directory or lies in one.
func (c *call) inGitDir(dir int, dirPath string) bool {
	if strings.Contains(dirPath+"/", "/.git/") {
		return true
	}
	for p := dirPath; ; p = path.Dir(p) {
		if isGitDir(dir, p) {
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
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || !c.ages.isPlain(idOf(&st)) {
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
	return path.Base(dirPath) == ".git" && text == "testing" && len(name) == 7 && name[0] == 't'
}
