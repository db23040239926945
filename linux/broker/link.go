//go:build linux

package broker

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

func (c *call) link() unix.Errno {
	olddir, newdir, from, to, flags := int32(unix.AT_FDCWD), int32(unix.AT_FDCWD), c.arg(0), c.arg(1), 0
	if c.what == callLinkat {
		olddir, newdir, from, to, flags = c.intArg(0), c.intArg(2), c.arg(1), c.arg(3), int(c.intArg(4))
	}
	if flags&^(unix.AT_SYMLINK_FOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return unix.EINVAL
	}
	if flags&unix.AT_EMPTY_PATH != 0 && !mayLinkEmpty() {
		return unix.ENOENT
	}
	source, errno := c.linkSource(olddir, from, flags)
	if errno != 0 {
		return errno
	}
	s, errno := c.place(newdir, to)
	if errno != 0 {
		return errno
	}
	dirPath, unlock := c.hold(s, true)
	defer unlock()
	if errno := c.may(makeAct, s, dirPath); errno != 0 {
		return errno
	}
	if why, p := c.judgeHardLink(source, s, dirPath); why != nil && !there(s.dir, s.last()) {
		return c.deny(p, why)
	}
	err := unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(source), s.dir, s.name, unix.AT_SYMLINK_FOLLOW)
	return c.failed(errnoOf(err), c.pathOf(source), s.at(dirPath))
}

// mayLinkEmpty tells whether AT_EMPTY_PATH is for everybody (Linux 6.10). Before,
// it took a right that the command has not got, whatever the path (linkat(2)).
func mayLinkEmpty() bool {
	return unix.Linkat(unix.AT_FDCWD, "/", unix.AT_FDCWD, "/", unix.AT_EMPTY_PATH) != unix.ENOENT
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
	if from != "" && c.rules.own(from) {
		return nil, ""
	}
	if why := c.judgeHeld(source, &st, from); why != nil {
		return why, from
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		text := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(source, "", text)
		if err != nil {
			return &unseen, from
		}
		return c.judgeLink(s.dir, dirPath, s.last(), string(text[:n])), pathtree.Join(dirPath, s.last())
	}
	if c.inGitDir(s.dir, dirPath) && !(isObject(from) && isObject(pathtree.Join(dirPath, s.last()))) {
		return gitWhy(gitLink), pathtree.Join(dirPath, s.last())
	}
	return nil, ""
}

// objectPath is how git calls an object, or a pack or what lies beside one
// (gitrepository-layout(5)), also while it makes it.
var objectPath = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`/objects/((tmp_objdir|incoming)-[^/]+/)?([0-9a-f]{2}|pack|info)/[^/]+$`)
})

// isObject tells whether a path is among a repository's objects, of which git
// makes hard links.
func isObject(p string) bool { return objectPath().MatchString(p) }

var nameless = Why{Reason: "a file whose name is gone, and that has others"}

// judgeHeld judges writing a file that is held. Its path is the name by which it
// was found: where that is gone, it may have got one since that nobody may write.
func (c *call) judgeHeld(file int, st *unix.Stat_t, p string) *Why {
	root, errno := c.root()
	if errno != 0 || p == "" {
		return &unseen
	}
	if c.rules.own(p) {
		return nil
	}
	hops := maxLinks // there is no link in such a path
	dir, errno := c.directory(root, path.Dir(p), &hops)
	var there unix.Stat_t
	if errno == 0 && unix.Fstatat(dir, path.Base(p), &there, unix.AT_SYMLINK_NOFOLLOW) == nil && idOf(&there) == idOf(st) {
		return c.judge(writeAct, dir, path.Dir(p), path.Base(p))
	}
	switch {
	case c.ages.wasJudged(file):
		return &nameless
	case errno != 0 && errno != unix.ENOENT && (c.rules.reserved(p) != nil || len(c.rules.protected(p)) > 0 || strings.Contains(p, "/.git/")):
		return &unseen // its directory is closed to srun
	}
	return nil
}
