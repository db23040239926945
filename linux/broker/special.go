//go:build linux

package broker

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy/pathtree"
)

// isTTY tells whether a spot is the device that stands for its opener's own
// terminal (tty(4)), and not for srun's.
func isTTY(s spot) bool {
	var st unix.Stat_t
	return unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW) == nil &&
		st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(5, 0)
}

// isSpecial tells whether a spot has a pipe or a device.
func isSpecial(s spot) bool {
	var st unix.Stat_t
	if unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return false
	}
	kind := st.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFCHR || kind == unix.S_IFBLK
}

// openTTY opens the caller's controlling terminal. In srun's own session that is
// srun's; in another it is a terminal of the sandbox's.
func (c *call) openTTY(s spot, o *openArgs) (int, unix.Errno) {
	if o.exclusive() {
		return -1, unix.EEXIST
	}
	session, tty, errno := c.session()
	if errno != 0 {
		return -1, errno
	}
	own, err := unix.Getsid(0)
	if err == nil && session == own {
		return c.openNow(s, o)
	}
	if tty == 0 {
		return -1, unix.ENXIO
	}
	const ptySlaves = 136 // the first of eight major numbers (pts(4))
	major, minor := tty>>8&0xfff, tty&0xff|tty>>12&0xfff00
	if major < ptySlaves || major > ptySlaves+7 {
		return -1, unix.ENXIO
	}
	root, errno := c.root()
	if errno != 0 {
		return -1, errno
	}
	number := int(major-ptySlaves)<<20 | int(minor)
	for _, place := range []string{"dev/pts/" + strconv.Itoa(number), "dev/console"} {
		var st unix.Stat_t
		if unix.Fstatat(root, place, &st, 0) != nil || st.Rdev != unix.Mkdev(uint32(major), uint32(minor)) {
			continue
		}
		dir, errno := c.directory(root, "/"+path.Dir(place), &o.hops)
		if errno != 0 {
			return -1, errno
		}
		return c.openNow(spot{dir, path.Base(place)}, o)
	}
	return -1, unix.ENXIO
}

// session returns the caller's session and the device of its terminal, from
// /proc/TID/stat (proc_pid_stat(5)).
func (c *call) session() (session int, tty uint64, errno unix.Errno) {
	fd, err := unix.Open(c.proc("stat"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, 0, readError(err)
	}
	n, _ := unix.Read(fd, c.buf)
	unix.Close(fd)
	line := string(c.buf[:max(n, 0)])
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 5 {
		return 0, 0, unix.EPERM
	}
	session, _ = strconv.Atoi(fields[3])
	tty, _ = strconv.ParseUint(fields[4], 10, 64)
	return session, tty, 0
}

// isWorktreeDir tells a linked worktree's git directory, in which git writes
// commondir before HEAD.
func isWorktreeDir(dirPath string) bool {
	parent := path.Dir(dirPath)
	return path.Base(parent) == "worktrees" && strings.Contains(parent+"/", "/.git/")
}

// commondirText is what git writes to a linked worktree's commondir.
const commondirText = "../..\n"

// makeCommondir makes the file that says where a linked worktree's
// configuration is. There is one thing that it can say, so srun says it, and
// what the command writes goes nowhere.
func (c *call) makeCommondir(s spot, dirPath string, o *openArgs) (int, unix.Errno) {
	if !isWorktreeDir(dirPath) {
		return -1, c.deny(pathtree.Join(dirPath, s.last()), gitWhy(gitMoves))
	}
	if !o.creates() || there(s.dir, s.last()) {
		if !o.writes() {
			return c.openNow(s, o)
		}
		return -1, c.deny(pathtree.Join(dirPath, s.last()), gitWhy(gitMoves))
	}
	for _, name := range []string{"index", "config", "objects", "refs"} { // judged as another's
		if there(s.dir, name) {
			return -1, c.deny(pathtree.Join(dirPath, s.last()), gitWhy(gitMoves))
		}
	}
	return makeWhole(s, []byte(commondirText), o)
}

// makeWhole makes a file with a content that is srun's to say. What the command
// writes to it goes nowhere.
func makeWhole(s spot, content []byte, o *openArgs) (int, unix.Errno) {
	fd, err := unix.Openat2(s.dir, s.last(), &unix.OpenHow{
		Flags: unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC, Mode: uint64(o.mode), Resolve: noLinks,
	})
	if err != nil {
		return -1, errnoOf(err)
	}
	for len(content) > 0 && err == nil {
		var n int
		n, err = unix.Write(fd, content)
		content = content[max(n, 0):]
	}
	unix.Close(fd)
	if err != nil {
		return -1, errnoOf(err)
	}
	discarded, err := unix.MemfdCreate("discarded", unix.MFD_CLOEXEC)
	return discarded, errnoOf(err)
}

// maxHook bounds what is read of a hook in a template, in bytes.
const maxHook = 1 << 20

// templateHook returns a hook that the user's template directory has, which git
// copies into a directory of hooks that it made, and its mode; nil is that there is
// none.
func (c *call) templateHook(dir int, name string) (text []byte, mode uint32) {
	root, errno := c.root()
	if errno != 0 || c.isOld(dir) {
		return nil, 0
	}
	for _, template := range c.rules.Templates {
		hops := 0
		from, errno := c.directory(root, template+"/hooks", &hops)
		if errno != 0 {
			continue
		}
		var st unix.Stat_t
		text, _, err := readIn(from, name, unix.O_RDONLY)
		if err == nil && text != "" && len(text) <= maxHook && unix.Fstatat(from, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			return []byte(text), st.Mode & 0o777
		}
	}
	return nil, 0
}
