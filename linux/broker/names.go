//go:build linux

package broker

import (
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// place reads one path of a call, and judges nothing.
func (c *call) place(dirfd int32, at uint64) (s spot, dirPath string, errno unix.Errno) {
	name, errno := c.str(at)
	if errno == 0 {
		s, errno = c.find(dirfd, name)
	}
	if errno == 0 {
		dirPath = c.pathOf(s.dir)
	}
	return s, dirPath, errno
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
	return c.deny(join(dirPath, s.last()), why)
}

// locked takes the lock of acts that matter to each other, where this is one.
func (c *call) locked(s spot, dirPath string) (unlock func()) {
	if dirPath != "" && !c.rules.sensitive(dirPath, s.last()) {
		return func() {}
	}
	return c.locks.lock(s.dir)
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
	s, dirPath, errno := c.place(dirfd, c.arg(first))
	if errno == 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return errno
	}
	defer c.locks.lock(s.dir)()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	if err := unix.Mkdirat(s.dir, s.name, uint32(c.arg(first+1))&0o7777); err != nil {
		return c.failed(dirPath, s.last(), true, errnoOf(err))
	}
	var st unix.Stat_t
	if unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		c.ages.add(idOf(&st), join(dirPath, s.last()))
	}
	return 0
}

func (c *call) mknod() unix.Errno {
	dirfd, first := c.split(callMknodat)
	s, dirPath, errno := c.place(dirfd, c.arg(first))
	if errno == 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return errno
	}
	defer c.locked(s, dirPath)()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	err := unix.Mknodat(s.dir, s.name, uint32(c.arg(first+1))&0xffff, int(uint32(c.arg(first+2))))
	return c.failed(dirPath, s.last(), true, errnoOf(err))
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
	s, dirPath, errno := c.place(int32(dirfd), c.arg(first))
	if errno != 0 {
		return errno
	}
	defer c.locked(s, dirPath)()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	p := join(dirPath, s.last())
	if why := c.judgeLink(s.dir, dirPath, s.last(), text); why != nil && !there(s.dir, s.last()) {
		return c.deny(p, why)
	}
	return c.failed(dirPath, s.last(), true, errnoOf(unix.Symlinkat(text, s.dir, s.name)))
}

// judgeLink judges a symbolic link's place: there is none in a git directory,
// and none in the place of a directory that was there but to another such.
func (c *call) judgeLink(dir int, dirPath, name, text string) *Why {
	switch {
	case dirPath == "" || c.rules.own(dirPath):
		return nil
	case c.inGitDir(dir, dirPath) && !isGitProbe(dirPath, name, text):
		return gitWhy(gitLink)
	case !c.ages.tookPlace(join(dirPath, name)):
		return nil
	}
	hops := 0
	to, errno := c.directory(dir, text, &hops)
	if errno == 0 && c.isOld(to) {
		return nil
	}
	return &Why{Reason: "a link in the place of a directory that was there", Protected: true}
}

func (c *call) link() unix.Errno {
	olddir, newdir, from, to, flags := int32(unix.AT_FDCWD), int32(unix.AT_FDCWD), c.arg(0), c.arg(1), 0
	if c.what == callLinkat {
		olddir, newdir, from, to, flags = c.intArg(0), c.intArg(2), c.arg(1), c.arg(3), int(c.intArg(4))
	}
	if flags&^(unix.AT_SYMLINK_FOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return unix.EINVAL
	}
	source, errno := c.linkSource(olddir, from, flags)
	if errno != 0 {
		return errno
	}
	s, dirPath, errno := c.place(newdir, to)
	if errno != 0 {
		return errno
	}
	defer c.locks.lock(s.dir)()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	if why, p := c.judgeHardLink(source, s, dirPath); why != nil && !there(s.dir, s.last()) {
		return c.deny(p, why)
	}
	err := unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(source), s.dir, s.name, unix.AT_SYMLINK_FOLLOW)
	return c.failed(dirPath, s.last(), true, errnoOf(err))
}

// linkSource opens the file that gets one more name.
func (c *call) linkSource(dirfd int32, at uint64, flags int) (int, unix.Errno) {
	name, errno := c.str(at)
	if errno != 0 {
		return -1, errno
	}
	if name == "" && flags&unix.AT_EMPTY_PATH != 0 {
		return c.at(dirfd, "")
	}
	s, errno := c.find(dirfd, name)
	if errno != 0 {
		return -1, errno
	}
	hops := 0
	if flags&unix.AT_SYMLINK_FOLLOW != 0 || s.name != s.last() {
		to, file, errno := c.landing(s, &hops)
		if errno != 0 || file.fd >= 0 {
			return file.fd, errno
		}
		s = to
	}
	fd, err := unix.Openat2(s.dir, s.name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC})
	if err != nil {
		return -1, errnoOf(err)
	}
	return c.keep(fd), 0
}

// judgeHardLink judges a file that gets one more name: what may not be written
// under one may not be under another, and git's files have no names outside.
func (c *call) judgeHardLink(source int, s spot, dirPath string) (*Why, string) {
	var st unix.Stat_t
	if unix.Fstat(source, &st) != nil || st.Nlink == 0 {
		return nil, ""
	}
	from := c.pathOf(source)
	if from == "" || c.rules.own(from) {
		return nil, ""
	}
	if why := c.judgeFile(from); why != nil {
		return why, from
	}
	if dirPath != "" && c.inGitDir(s.dir, dirPath) && !(isObject(from) && isObject(join(dirPath, s.last()))) {
		return gitWhy(gitLink), join(dirPath, s.last())
	}
	return nil, ""
}

// isObject tells whether a path is among a repository's objects, of which git
// makes hard links.
func isObject(p string) bool {
	for at := path.Dir(p); at != "/" && at != "."; at = path.Dir(at) {
		if path.Base(at) == "objects" {
			return true
		}
	}
	return false
}

// judgeFile judges writing a file that is known by its path alone.
func (c *call) judgeFile(p string) *Why {
	root, errno := c.root()
	if errno != 0 {
		return &unseen
	}
	hops := 0
	dir, errno := c.directory(root, path.Dir(p), &hops)
	if errno != 0 {
		return nil // it is at no such path any more, or outside
	}
	return c.judge(writeAct, dir, path.Dir(p), path.Base(p))
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
	s, dirPath, errno := c.place(dirfd, c.arg(first))
	if errno != 0 {
		return errno
	}
	if errno := c.may(removeAct, s, dirPath); errno != 0 {
		return errno
	}
	if flags == 0 {
		return c.failed(dirPath, s.last(), true, errnoOf(unix.Unlinkat(s.dir, s.name, 0)))
	}
	defer c.locks.lock(s.dir)()
	var st unix.Stat_t
	known := unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW) == nil
	if err := unix.Unlinkat(s.dir, s.name, flags); err != nil {
		return c.failed(dirPath, s.last(), true, errnoOf(err))
	}
	if known {
		c.ages.remove(idOf(&st), join(dirPath, s.last()))
	}
	return 0
}

func (c *call) truncate() unix.Errno {
	name, errno := c.str(c.arg(0))
	if errno != 0 {
		return errno
	}
	length := int64(c.arg(1))
	if c.abi.bits == 32 {
		length = int64(c.intArg(1))
	}
	if c.what == callTruncate64 {
		length = int64(c.arg(c.abi.pair)&0xffffffff | c.arg(c.abi.pair+1)<<32)
	}
	if length < 0 {
		return unix.EINVAL
	}
	s, errno := c.find(unix.AT_FDCWD, name)
	if errno != 0 {
		return errno
	}
	if errno := c.truncatable(s); errno != 0 {
		return errno
	}
	var limit unix.Rlimit
	if unix.Prlimit(c.tid(), unix.RLIMIT_FSIZE, nil, &limit) == nil && uint64(length) > limit.Cur {
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
