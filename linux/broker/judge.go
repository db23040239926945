//go:build linux

package broker

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/direnv"
	"srun/policy/pathtree"
)

// act is what a call does to a name.
type act uint8

const (
	makeAct   act = iota // makes it, or replaces what is there
	writeAct             // opens what is there for writing
	removeAct            // takes it away
)

const protectedPath = "protected path"

// judge tells why an act may not be; nil is that it may. dir is the descriptor
// of the directory, dirPath its path, "" where that cannot be told.
func (c *call) judge(a act, dir int, dirPath, name string) *Why {
	if dirPath == "" {
		return &Why{Reason: "where it is cannot be told"}
	}
	if name == "." || name == ".." || name == "" {
		return nil // no act takes such a name
	}
	dirPath, name = c.spelled(dir, dirPath, name)
	p := pathtree.Join(dirPath, name)
	if c.rules.own(p) {
		return nil
	}
	if why := c.rebase(dir, dirPath, name); why != nil {
		return why
	}
	if why := c.rules.reserved(p); why != nil {
		return why
	}
	for _, at := range c.rules.protected(p) {
		// A package may be removed with all that is in it.
		if a == removeAct && strings.Contains(p, "/node_modules/") {
			break
		}
		if c.holderIsOld(dir, at.up) {
			return &Why{Reason: protectedPath, Rule: at.Reason, Protected: true}
		}
	}
	if c.loadedByDirenv(dir, p, name) {
		return &Why{Reason: protectedPath, Rule: direnv.Reason, Protected: true}
	}
	return c.judgeGit(a, dir, dirPath, name)
}

// loadedByDirenv tells of a file .env or .env.NAME whether an .envrc beside it,
// which the command could not write, has it loaded. The planner has those of
// other names around the working directory.
func (c *call) loadedByDirenv(dir int, p, name string) bool {
	if !strings.HasPrefix(name, ".env") || !c.isOld(dir) || c.rules.Opened != nil && c.rules.Opened(p) {
		return false
	}
	fd, err := unix.Openat2(dir, ".envrc", &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC, Resolve: noLinks})
	if err == unix.ELOOP {
		return true // a link, to whatever
	}
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	content := make([]byte, direnv.MaxSize)
	n, err := unix.Read(fd, content)
	return err == nil && slices.ContainsFunc(direnv.Loads(content[:n]), func(file string) bool { return path.Clean(file) == name })
}

// mounted tells whether a name is a mount point of the sandbox's. The kernel
// refuses to move or remove those of the caller's own mount namespace alone
// (is_local_mountpoint), and the broker is in another.
func (c *call) mounted(dir int, dirPath, name string) bool {
	if c.rules.Held[pathtree.Join(dirPath, name)] {
		return true
	}
	var st unix.Statx_t
	err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, 0, &st)
	return err == nil && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// holderIsOld tells whether the directory so many steps above another was there
// when the run began. What cannot be looked at was.
func (c *call) holderIsOld(dir, up int) bool {
	for ; up > 0; up-- {
		fd, err := pathDir(dir, "..")
		if err != nil {
			return true
		}
		dir = c.keep(fd)
	}
	return c.isOld(dir)
}

// isNewAt tells whether the command made the directory of a name.
func (c *call) isNewAt(dir int, name string) bool {
	id, ok := bornIDAt(dir, name)
	return ok && c.ages.isNew(id)
}

func (c *call) isOld(dir int) bool {
	id, ok := bornIDAt(dir, "")
	return !ok || !c.ages.isNew(id)
}
