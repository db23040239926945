//go:build linux

package broker

import (
	"slices"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// renaming is one rename with what is at both its ends.
type renaming struct {
	from, to         spot
	fromDir, toDir   string
	old, new         unix.Stat_t
	oldID, newID     bornID
	exchange, exists bool // something is at the new name
}

func (c *call) rename() unix.Errno {
	olddir, newdir, from, to, flags := int32(unix.AT_FDCWD), int32(unix.AT_FDCWD), c.arg(0), c.arg(1), uint(0)
	if c.what != callRename {
		olddir, newdir, from, to = c.intArg(0), c.intArg(2), c.arg(1), c.arg(3)
	}
	if c.what == callRenameat2 {
		flags = uint(uint32(c.arg(4)))
	}
	const single = unix.RENAME_NOREPLACE | unix.RENAME_WHITEOUT
	if flags&^(single|unix.RENAME_EXCHANGE) != 0 || flags&unix.RENAME_EXCHANGE != 0 && flags&single != 0 {
		return unix.EINVAL // before the paths are read, as in the kernel
	}
	var r renaming
	var errno unix.Errno
	if r.from, errno = c.place(olddir, from); errno != 0 {
		return errno
	}
	if r.to, errno = c.place(newdir, to); errno != 0 {
		fd, err := pathDir(r.from.dir, ".")
		if err == nil {
			unix.Close(fd)
		}
		if err == unix.EACCES {
			return unix.EACCES // the first path comes first
		}
		return errno
	}
	r.exchange = flags&unix.RENAME_EXCHANGE != 0
	if notNames(r.from.last(), r.to.last()) { // the kernel knows which error it is
		return errnoOf(unix.Renameat2(r.from.dir, r.from.name, r.to.dir, r.to.name, flags))
	}
	defer c.holdBoth(&r)()
	for _, end := range []struct {
		spot
		dir string
	}{{r.from, r.fromDir}, {r.to, r.toDir}} {
		if c.mounted(end.spot.dir, end.dir, end.last()) {
			return c.failed(unix.EBUSY, r.from.at(r.fromDir), r.to.at(r.toDir))
		}
	}
	err := r.look()
	if err == nil && !(r.exists && flags&unix.RENAME_NOREPLACE != 0) && !(r.exchange && !r.exists) {
		release, errno := c.judgeRename(&r)
		if errno != 0 {
			return errno
		}
		defer release()
	}
	c.losing(&r)
	if err := unix.Renameat2(r.from.dir, r.from.name, r.to.dir, r.to.name, flags); err != nil {
		return c.failed(errnoOf(err), r.from.at(r.fromDir), r.to.at(r.toDir))
	}
	c.renamed(&r)
	return 0
}

// look finds out what is at both ends.
func (r *renaming) look() error {
	err := unix.Fstatat(r.from.dir, r.from.last(), &r.old, unix.AT_SYMLINK_NOFOLLOW)
	r.exists = unix.Fstatat(r.to.dir, r.to.last(), &r.new, unix.AT_SYMLINK_NOFOLLOW) == nil
	dir := r.old.Mode&unix.S_IFMT == unix.S_IFDIR
	if dir {
		r.oldID, _ = dirIDAt(r.from.dir, r.from.last())
	}
	if dir || r.exchange {
		r.newID, _ = dirIDAt(r.to.dir, r.to.last())
	}
	return err
}

// notNames tells whether one of the names is none that can be moved.
func notNames(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n == "." || n == ".." || n == "" })
}

// judgeRename judges both names, and what comes to each. Until release nobody
// can write the configuration that was judged.
func (c *call) judgeRename(r *renaming) (release func(), errno unix.Errno) {
	other := func() {}
	if errno := c.mayMove(r.from, r.fromDir); errno != 0 {
		return other, errno
	}
	if r.exchange {
		if errno := c.mayMove(r.to, r.toDir); errno != 0 {
			return other, errno
		}
		if other, errno = c.arrives(r.to, r.toDir, &r.new, r.from, r.fromDir); errno != 0 {
			return other, errno
		}
	}
	first, errno := c.arrives(r.from, r.fromDir, &r.old, r.to, r.toDir)
	if errno != 0 {
		other()
	}
	return func() { first(); other() }, errno
}

// mayMove judges taking a name away. A directory in which something protected
// lies may be moved, with all that is in it.
func (c *call) mayMove(s spot, dirPath string) unix.Errno {
	if why := c.judge(removeAct, s.dir, dirPath, s.last()); why != nil {
		return c.deny(pathtree.Join(dirPath, s.last()), why)
	}
	if why := c.judgeFirst(s, dirPath); why != nil {
		return c.deny(pathtree.Join(dirPath, s.last()), why)
	}
	return 0
}

// judgeFirst judges moving a directory of which a name in it is protected.
func (c *call) judgeFirst(s spot, dirPath string) *Why {
	p := pathtree.Join(dirPath, s.last())
	if dirPath == "" || !c.rules.leadsToName(s.last()) || !c.isOld(s.dir) || c.rules.own(p) {
		return nil
	}
	fd, err := openDir(s.dir, s.last())
	if err == unix.ENOTDIR || err == unix.ENOENT || err == unix.ELOOP {
		return nil
	} else if err != nil {
		return &unseen
	}
	entries, err := list(c.keep(fd))
	if err != nil {
		return &unseen
	}
	for _, e := range entries {
		if found := c.rules.protected(pathtree.Join(p, e.name)); len(found) > 0 {
			return &Why{Reason: protectedPath, Rule: found[0].Reason, Protected: true}
		}
	}
	return nil
}

// arrives judges what comes to a name.
func (c *call) arrives(from spot, fromDir string, st *unix.Stat_t, to spot, toDir string) (release func(), errno unix.Errno) {
	release = func() {}
	why := c.judge(makeAct, to.dir, toDir, to.last())
	if why != nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
		release, why = c.judgeContent(why, from, to, toDir)
	}
	p := pathtree.Join(toDir, to.last())
	switch kind := st.Mode & unix.S_IFMT; {
	case why != nil:
	case kind == unix.S_IFLNK:
		text := make([]byte, unix.PathMax)
		n, _ := unix.Readlinkat(from.dir, from.last(), text)
		why = c.judgeLink(to.dir, toDir, to.last(), string(text[:max(n, 0)]))
	case kind == unix.S_IFDIR:
		if why = c.judgeWorktreeMoved(from, p); why == nil && toDir != "" {
			why = c.judgeConflict(to.dir, toDir, to.last(), from)
		}
		if why == nil {
			why = c.judgeMoved(from, fromDir, to, toDir)
		}
		if why == nil && toDir != "" && c.inGitDir(to.dir, toDir) {
			why = c.judgeInto(from, fromDir, to, toDir)
		}
	}
	if why == nil && st.Nlink > 1 && st.Mode&unix.S_IFMT == unix.S_IFREG && toDir != "" &&
		c.inGitDir(to.dir, toDir) && !isObject(p) && !c.inGitDir(from.dir, fromDir) {
		why = gitWhy(gitLink)
	}
	if why == nil {
		return release, 0
	}
	release()
	return func() {}, c.deny(p, why)
}

// losing is for directories that are about to lose their names.
func (c *call) losing(r *renaming) {
	if r.fromDir != "" && r.old.Mode&unix.S_IFMT == unix.S_IFDIR {
		c.ages.losing(r.oldID, pathtree.Join(r.fromDir, r.from.last()))
		c.leavesHome(r.oldID, r.from)
	}
	if r.toDir != "" && r.exists && r.new.Mode&unix.S_IFMT == unix.S_IFDIR {
		c.ages.losing(r.newID, pathtree.Join(r.toDir, r.to.last()))
		c.leavesHome(r.newID, r.to)
	}
}

// renamed takes down what became of old directories' names.
func (c *call) renamed(r *renaming) {
	for _, end := range []spot{r.from, r.to} {
		if isRebaseDir(end.last()) { // what came to that name
			c.holdRebase(end.dir, end.last(), pathtree.Join(c.pathOf(end.dir), end.last()), false)
		}
	}
	if r.fromDir == "" || r.toDir == "" {
		return
	}
	from, to := pathtree.Join(r.fromDir, r.from.last()), pathtree.Join(r.toDir, r.to.last())
	if r.old.Mode&unix.S_IFMT == unix.S_IFDIR {
		c.ages.rename(r.oldID, r.from, from, r.to)
	}
	switch {
	case !r.exists || r.new.Mode&unix.S_IFMT != unix.S_IFDIR:
	case r.exchange:
		c.ages.rename(r.newID, r.to, to, r.from)
	case r.newID != r.oldID:
		c.ages.remove(r.newID, r.to.dir, r.to.last(), to)
	}
}
