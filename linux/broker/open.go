//go:build linux

package broker

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// open answers with the descriptor that it opened.
func (c *call) open() {
	dirfd, at, flags, mode := c.openCall()
	o := openArgs{flags: flags & validFlags, mode: mode & 0o7777}
	if o.flags&unix.O_PATH != 0 { // the kernel looks at no other flag then
		o.flags &= unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	}
	if !o.creates() && !o.tmpfile() {
		o.mode = 0
	}
	c.creates = o.creates()
	if errno := o.check(); errno != 0 {
		c.reply(0, errno)
		return
	}
	name, errno := c.str(at)
	if errno != 0 {
		c.reply(0, errno)
		return
	}
	fd, errno := c.openPath(dirfd, name, &o)
	switch {
	case errno == blocks: // somebody else answers
	case errno != 0 && c.full():
		c.reply(0, unix.EMFILE)
	default:
		c.give(fd, errno, o.flags&unix.O_CLOEXEC != 0)
	}
}

func (c *call) openPath(dirfd int32, name string, o *openArgs) (int, unix.Errno) {
	if (o.creates() || o.flags&unix.O_TRUNC != 0) && c.full() {
		return -1, unix.EMFILE // before anything is made or lost
	}
	s, errno := c.find(dirfd, name)
	if errno == 0 && o.mode&0o7777 != 0 {
		errno = c.takeUmask()
	}
	if errno != 0 {
		return -1, errno
	}
	return c.openAt(s, o)
}

// full tells whether the caller can have no more descriptors. How many it has is
// its directory's size (Linux 6.2); before, it has no more than there is room for
// (FDSize of proc_pid_status(5)).
func (c *call) full() bool {
	var st unix.Stat_t
	var limit unix.Rlimit
	t, errno := c.task(false)
	if errno != 0 {
		return false
	}
	if unix.Fstatat(t.dir, "fd", &st, 0) != nil {
		if t, errno = c.task(true); errno != 0 || unix.Fstatat(t.dir, "fd", &st, 0) != nil {
			return false
		}
	}
	c.known = true
	most := uint64(st.Size)
	if most == 0 {
		values, _ := c.status("FDSize")
		most, _ = strconv.ParseUint(values[0], 10, 64)
	}
	if unix.Prlimit(c.tid(), unix.RLIMIT_NOFILE, nil, &limit) != nil || most < limit.Cur {
		return false
	}
	below := uint64(0)
	names, _ := os.ReadDir(c.proc("fd"))
	for _, name := range names {
		if n, err := strconv.ParseUint(name.Name(), 10, 64); err == nil && n < limit.Cur {
			below++
		}
	}
	return below >= limit.Cur
}

// give answers with a descriptor, or with an error.
func (c *call) give(fd int, errno unix.Errno, closeOnExec bool) {
	if errno == 0 {
		errno = c.handIn(fd, closeOnExec)
		if errno == 0 || errno == unix.ENOENT {
			return
		}
	}
	c.reply(0, errno)
}

func (c *call) openCall() (dirfd int32, at uint64, flags int, mode uint32) {
	switch c.what {
	case callOpenat:
		return c.intArg(0), c.arg(1), int(c.intArg(2)), uint32(c.arg(3))
	case callCreat:
		return unix.AT_FDCWD, c.arg(0), unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC, uint32(c.arg(1))
	}
	return unix.AT_FDCWD, c.arg(0), int(c.intArg(1)), uint32(c.arg(2))
}

// openAt opens what a spot leads to, links followed.
func (c *call) openAt(s spot, o *openArgs) (int, unix.Errno) {
	for {
		fd, link, errno := c.openSpot(s, o)
		if !link {
			return fd, errno
		}
		to, file, errno := c.next(s, &o.hops)
		switch {
		case errno != 0:
			return -1, errno
		case file.fd >= 0:
			return c.reopen(file.fd, o)
		}
		s = to
	}
}

// openSpot opens what is at a spot, or tells that it is a link to be followed.
func (c *call) openSpot(s spot, o *openArgs) (fd int, link bool, errno unix.Errno) {
	name := s.last()
	a, dirPath := writeAct, ""
	if o.creates() {
		var unlock func()
		a = makeAct
		dirPath, unlock = c.hold(s, false)
		defer unlock()
	} else {
		dirPath = c.pathOf(s.dir)
	}
	dirPath, name = c.spelled(s.dir, dirPath, name)
	if o.flags&unix.O_PATH == 0 && !o.tmpfile() {
		why := c.judge(a, s.dir, dirPath, name)
		if why != nil {
			return c.openDenied(s, dirPath, o, why)
		}
	}
	if o.writes() && dirPath != "" && !c.rules.special(pathtree.Join(dirPath, name)) && isSpecial(s) {
		return -1, false, c.failed(unix.EACCES, s.at(dirPath))
	}
	if name == "tty" && isTTY(s) {
		fd, errno = c.openTTY(s, o)
		return fd, false, errno
	}
	if name == "commondir" && o.creates() && c.isGitDir(s.dir, dirPath) || name == "commondir" && isWorktreeDir(dirPath) {
		fd, errno = c.makeCommondir(s, dirPath, o)
		return fd, false, errno
	}
	fd, errno = c.openNow(s, o)
	switch {
	case errno == 0 && o.writes() && c.judgedMeanwhile(fd, name):
		unix.Close(fd)
		return -1, false, c.deny(pathtree.Join(dirPath, name), gitWhy(gitConfig))
	case errno == unix.ELOOP && o.follows():
		var st unix.Stat_t
		if unix.Fstatat(s.dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return -1, true, 0
		}
	case errno == unix.ENXIO || errno == unix.EAGAIN:
		fd, errno = c.openSlowly(s, o, errno)
	case errno != 0 && errno != blocks:
		c.failed(errno, s.at(dirPath))
	}
	return fd, false, errno
}

// openDenied is for a name that may not be written. A link there is judged by
// where it leads, and reading what is there is not writing it.
func (c *call) openDenied(s spot, dirPath string, o *openArgs, why *Why) (fd int, link bool, errno unix.Errno) {
	var st unix.Stat_t
	err := unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK && o.follows():
		return -1, true, 0
	case err == nil && o.exclusive():
		return -1, false, unix.EEXIST
	case err == nil && !o.writes():
		without := *o
		without.flags, without.mode = o.flags&^unix.O_CREAT, 0
		fd, errno = c.openNow(s, &without)
		return fd, false, errno
	case err != nil && err != unix.ENOENT:
		return -1, false, errnoOf(err)
	case err != nil && !o.creates():
		return -1, false, unix.ENOENT
	case err != nil && why.Rule == gitHook:
		if text, mode := c.templateHook(s.dir, s.last()); text != nil {
			as := *o
			as.mode &= mode
			fd, errno = makeWhole(s, text, &as)
			return fd, false, errno
		}
	}
	return -1, false, c.deny(pathtree.Join(dirPath, s.last()), why)
}

// openNow opens without waiting for anybody, and follows no link.
func (c *call) openNow(s spot, o *openArgs) (int, unix.Errno) {
	wait := !o.exclusive() && o.flags&(unix.O_NONBLOCK|unix.O_PATH) == 0
	how := unix.OpenHow{Flags: uint64(o.flags | unix.O_CLOEXEC | unix.O_NOCTTY), Mode: uint64(o.mode), Resolve: noLinks}
	if wait {
		how.Flags |= unix.O_NONBLOCK
	}
	if o.flags&unix.O_PATH != 0 {
		how.Flags = uint64(o.flags | unix.O_CLOEXEC)
	}
	fd, err := unix.Openat2(s.dir, s.name, &how)
	if err != nil {
		return -1, errnoOf(err)
	}
	if wait {
		unix.FcntlInt(uintptr(fd), unix.F_SETFL, o.flags&^unix.O_NONBLOCK)
	}
	return fd, 0
}

// reopen opens again what a magic link led to, judged by where that is.
func (c *call) reopen(file int, o *openArgs) (int, unix.Errno) {
	if o.exclusive() {
		return -1, unix.EEXIST
	}
	p := c.pathOf(file)
	var st unix.Stat_t
	err := unix.Fstat(file, &st)
	if err == nil && o.creates() && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return -1, unix.EISDIR
	}
	if kind := st.Mode & unix.S_IFMT; err == nil && kind != unix.S_IFREG && kind != unix.S_IFDIR && o.writes() &&
		len(p) > 0 && p[0] == '/' && !c.rules.special(p) {
		return -1, c.failed(unix.EACCES, p)
	}
	if err == nil && st.Nlink > 0 && (p == "" || p[0] == '/') && o.writes() {
		if why := c.judgeHeld(file, &st, p); why != nil {
			return -1, c.deny(p, why)
		}
	}
	return c.openAgain(file, o)
}

// judgedMeanwhile tells whether a directory became a git directory since it was
// looked at, and its configuration was judged before it was open here.
func (c *call) judgedMeanwhile(fd int, name string) bool {
	if name != "config" && name != "config.worktree" && name != "opts" && stateRule(name) == "" {
		return false
	}
	return c.ages.wasJudged(fd)
}

// openAgain opens a file that is held O_PATH, without waiting for anybody. What
// was judged of it before may be true no longer: once it is open, no content of
// it is judged any more, so what was until then is known.
func (b *Broker) openAgain(file int, o *openArgs) (int, unix.Errno) {
	flags := o.flags&^(unix.O_CREAT|unix.O_NOFOLLOW|unix.O_TRUNC) | unix.O_CLOEXEC | unix.O_NOCTTY
	self := "/proc/self/fd/" + strconv.Itoa(file)
	fd, err := unix.Open(self, flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, errnoOf(err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	switch {
	case err == nil && o.writes() && b.ages.wasJudged(fd):
		err = unix.EACCES
	case err == nil && o.flags&unix.O_TRUNC != 0 && st.Mode&unix.S_IFMT == unix.S_IFREG:
		err = unix.Truncate(self, 0)
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, o.flags)
	}
	if err != nil {
		unix.Close(fd)
		return -1, errnoOf(err)
	}
	return fd, 0
}
