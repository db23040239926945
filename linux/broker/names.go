//go:build linux

package broker

import (
	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// place reads one path of a call, and judges nothing.
func (c *call) place(dirfd int32, at uint64) (s spot, errno unix.Errno) {
	name, errno := c.str(at)
	if errno != 0 {
		return s, errno
	}
	return c.find(dirfd, name)
}

// may judges a name that is about to be made or removed. What is there already
// fails as it would without a judge.
func (c *call) may(a act, s spot, dirPath string) unix.Errno {
	why := c.judge(a, s.dir, dirPath, s.last())
	switch {
	case why == nil:
		return 0
	case a == removeAct && !there(s.dir, s.last()):
		return unix.ENOENT
	case a == makeAct && there(s.dir, s.last()):
		return unix.EEXIST
	}
	return c.deny(pathtree.Join(dirPath, s.last()), why)
}

// split are a call's arguments behind the descriptor that its -at form begins
// with.
func (c *call) split(at kind) (dirfd int32, first int) {
	if c.what == at {
		return c.intArg(0), 1
	}
	return unix.AT_FDCWD, 0
}

func (c *call) mkdir() unix.Errno {
	dirfd, first := c.split(callMkdirat)
	s, errno := c.place(dirfd, c.arg(first))
	if errno == 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return errno
	}
	dirPath, unlock := c.hold(s, true)
	defer unlock()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	if err := unix.Mkdirat(s.dir, s.name, uint32(c.arg(first+1))&0o7777); err != nil {
		return c.failed(errnoOf(err), s.at(dirPath))
	}
	if id, ok := dirIDAt(s.dir, s.last()); ok {
		c.ages.add(id, pathtree.Join(dirPath, s.last()))
	}
	return 0
}

func (c *call) mknod() unix.Errno {
	dirfd, first := c.split(callMknodat)
	mode := uint32(c.arg(first+1)) & 0xffff
	switch mode & unix.S_IFMT { // before the path is read, as may_mknod in the kernel
	case 0, unix.S_IFREG, unix.S_IFCHR, unix.S_IFBLK, unix.S_IFIFO, unix.S_IFSOCK:
	case unix.S_IFDIR:
		return unix.EPERM
	default:
		return unix.EINVAL
	}
	s, errno := c.place(dirfd, c.arg(first))
	if errno == 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return errno
	}
	dirPath, unlock := c.hold(s, false)
	defer unlock()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	err := unix.Mknodat(s.dir, s.name, mode, int(uint32(c.arg(first+2))))
	return c.failed(errnoOf(err), s.at(dirPath))
}

func (c *call) symlink() unix.Errno {
	text, errno := c.str(c.arg(0))
	if errno != 0 {
		return errno
	}
	if text == "" {
		return unix.ENOENT
	}
	dirfd, first := unix.AT_FDCWD, 1
	if c.what == callSymlinkat {
		dirfd, first = int(c.intArg(1)), 2
	}
	s, errno := c.place(int32(dirfd), c.arg(first))
	if errno != 0 {
		return errno
	}
	dirPath, unlock := c.hold(s, false)
	defer unlock()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	p := pathtree.Join(dirPath, s.last())
	if why := c.judgeLink(s.dir, dirPath, s.last(), text); why != nil && !there(s.dir, s.last()) {
		return c.deny(p, why)
	}
	return c.failed(errnoOf(unix.Symlinkat(text, s.dir, s.name)), s.at(dirPath))
}

var leadingLink = Why{Reason: protectedPath + ": a link on the way to one that is not there", Protected: true}

// judgeLink judges a symbolic link's place: there is none in a git directory, and
// what takes the place of an old directory counts as old.
func (c *call) judgeLink(dir int, dirPath, name, text string) *Why {
	dirPath, name = c.spelled(dir, dirPath, name)
	switch {
	case c.rules.own(dirPath) || name == "." || name == "..":
		return nil
	case c.inGitDir(dir, dirPath) && !isGitProbe(dirPath, name, text):
		return gitWhy(gitLink)
	case c.rules.leadsThrough(pathtree.Join(dirPath, name)) || c.rules.leadsToName(name) && c.isOld(dir):
		return &leadingLink
	case c.judgeWorktreeLink(pathtree.Join(dirPath, name)) != nil:
		return &linkedWorktree
	case c.judgeConflict(dir, dirPath, name, spot{dir: -1}) != nil:
		return &linkedConflict
	case !c.ages.tookPlace(pathtree.Join(dirPath, name)):
		return nil
	}
	return c.judgeStandIn(dir, text)
}

// judgeStandIn judges a link in the place of a directory that was there: it leads
// to another such, and nothing on the way could be put in another's place later
// without counting as old itself.
func (c *call) judgeStandIn(dir int, text string) *Why {
	hops := maxLinks // no link on the way
	to, errno := c.directory(dir, text, &hops)
	if errno == 0 && c.isOld(to) {
		return nil
	}
	return &Why{Reason: "a link in the place of a directory that was there", Protected: true}
}

func (c *call) unlink() unix.Errno {
	dirfd, first := c.split(callUnlinkat)
	flags := 0
	if c.what == callUnlinkat {
		if flags = int(c.intArg(2)); flags&^unix.AT_REMOVEDIR != 0 {
			return unix.EINVAL
		}
	} else if c.what == callRmdir {
		flags = unix.AT_REMOVEDIR
	}
	s, errno := c.place(dirfd, c.arg(first))
	if errno != 0 {
		return errno
	}
	if notNames(s.last()) { // the kernel knows which error it is
		return errnoOf(unix.Unlinkat(s.dir, s.name, flags))
	}
	dirPath, unlock := c.hold(s, flags != 0)
	defer unlock()
	if errno := c.may(removeAct, s, dirPath); errno != 0 {
		return errno
	}
	if c.mounted(s.dir, dirPath, s.last()) {
		return c.failed(unix.EBUSY, s.at(dirPath))
	}
	if flags == 0 {
		return c.failed(errnoOf(unix.Unlinkat(s.dir, s.name, 0)), s.at(dirPath))
	}
	id, known := bornIDAt(s.dir, s.last())
	if known {
		c.ages.losing(id, pathtree.Join(dirPath, s.last()))
	}
	if err := unix.Unlinkat(s.dir, s.name, flags); err != nil {
		return c.failed(errnoOf(err), s.at(dirPath))
	}
	if known {
		c.ages.remove(id, s.dir, s.last(), pathtree.Join(dirPath, s.last()))
	}
	return 0
}

func (c *call) truncate() unix.Errno {
	length := int64(c.arg(1))
	if c.abi.bits == 32 {
		length = int64(c.intArg(1))
	}
	if c.what == callTruncate64 {
		length = int64(c.arg(c.abi.pair)&0xffffffff | c.arg(c.abi.pair+1)<<32)
	}
	if length < 0 {
		return unix.EINVAL // before the path is read, as in the kernel
	}
	s, errno := c.place(unix.AT_FDCWD, c.arg(0))
	if errno != 0 {
		return errno
	}
	if errno := c.truncatable(s); errno != 0 {
		return errno
	}
	var limit unix.Rlimit
	if unix.Prlimit(c.tid(), unix.RLIMIT_FSIZE, nil, &limit) == nil && uint64(length) > limit.Cur {
		leader, _ := c.process()
		unix.Tgkill(leader, c.tid(), unix.SIGXFSZ) // as the kernel does (setrlimit(2))
		return unix.EFBIG
	}
	fd, errno := c.openAt(s, &openArgs{flags: unix.O_WRONLY | unix.O_NONBLOCK})
	if errno != 0 {
		return errno
	}
	defer unix.Close(fd)
	return errnoOf(unix.Ftruncate(fd, length))
}

// truncatable gives the errors that opening has not.
func (c *call) truncatable(s spot) unix.Errno {
	hops := 0
	to, file, errno := c.landing(s, &hops)
	if errno != 0 {
		return errno
	}
	var st unix.Stat_t
	var err error
	if file.fd >= 0 {
		err = unix.Fstat(file.fd, &st)
	} else {
		err = unix.Fstatat(to.dir, to.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	}
	switch {
	case err != nil:
		return errnoOf(err)
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return unix.EISDIR
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return unix.EINVAL
	}
	return 0
}
