//go:build linux

package broker

import (
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
)

// judgeRepository judges a directory that becomes a git directory, as a whole.
func (c *call) judgeRepository(fd int, p string) *Why {
	if !c.rules.AllowGitConfig {
		for _, name := range []string{"config", "config.worktree"} {
			if why := c.judgeConfigFile(fd, p, name); why != nil {
				return why
			}
		}
	}
	for _, name := range []string{"hooks", "remotes", "branches"} {
		if why := judgeEntries(fd, name, name); why != nil {
			return why
		}
	}
	if why := c.judgeSequencerDir(fd, sequencerDir); why != nil {
		return why
	}
	if why := c.judgeIndexes(fd, c.objectSize(fd)); why != nil {
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
	data, release, why := c.settled(dir, name, maxConfig)
	if why != nil || data == nil {
		return func() {}, why
	}
	if reason := gitfiles.JudgeSequencer(data); reason != "" {
		release()
		return func() {}, gitWhy(reason)
	}
	return release, nil
}

// judgeEntries judges a directory as what git makes of one with another name.
func judgeEntries(fd int, name, as string) *Why {
	sub, err := openDir(fd, name)
	switch {
	case err == unix.ENOENT:
		return nil
	case err != nil:
		return gitWhy(as + " is no directory that can be read")
	}
	defer unix.Close(sub)
	entries, err := list(sub)
	if err != nil {
		return &unseen
	}
	for _, e := range entries {
		switch {
		case as == "hooks" && !strings.HasSuffix(e.name, ".sample"):
			return gitWhy(gitHook)
		case as != "hooks":
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

// git is what a configuration in a git directory may name.
func (c *call) git(dirPath string) gitfiles.JudgeOptions {
	o := c.rules.Git
	o.Worktree = func(value string) bool { return c.mayBeWorktree(dirPath, value) }
	return o
}

// judgeConfigFile judges a configuration file where it is.
func (c *call) judgeConfigFile(dir int, dirPath, name string) *Why {
	data, release, why := c.settled(dir, name, maxConfig)
	if why != nil || data == nil {
		return why
	}
	defer release()
	options := c.git(dirPath)
	options.OneWorktree = name == "config.worktree"
	if reason := gitfiles.Judge(data, options); reason != "" {
		return gitWhy("git configuration: " + reason)
	}
	return nil
}

// maxConfig bounds what is read of a configuration, in bytes.
const maxConfig = 1 << 20

// settled reads a file that has one name and that nobody has open for writing,
// nor can open until release: a lease makes sure of it (fcntl(2), F_SETLEASE).
// No data and no reason is that nothing is there.
func (c *call) settled(dir int, name string, most int64) (data []byte, release func(), why *Why) {
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
		if err != unix.EAGAIN {
			return nil, nil, gitWhy("whether " + name + " is open for writing cannot be told on this file system: " + err.Error())
		}
		return nil, nil, gitWhy(name + " is still open for writing")
	}
	if st.Size > most {
		release()
		return nil, nil, gitWhy(name + " is too large")
	}
	data = make([]byte, st.Size) // which nobody changes now
	if _, err := io.ReadFull(f, data); err != nil {
		release()
		return nil, nil, gitWhy(name + " cannot be read")
	}
	c.ages.judge(fd)
	return data, release, nil
}
