//go:build linux

package broker

import (
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// A rebase that is under way has a list of what git does next, of which some
// lines run programs. Editors write it in place, so that it is never known to be
// finished: it is judged once nobody is left who could write it. Until then
// only git inside reads it. Lines that run something and were not there before
// become comments, by the descriptor of the very directory.

const (
	rebaseDir    = "rebase-merge"
	sequencerDir = "sequencer"
)

// Bounds on the directories that a run may have had a rebase in, and on what is
// read of each file, in bytes. A list of a hundred thousand commits is smaller.
const (
	mostRebases = 64
	maxState    = 8 << 20
)

// rebases are the directories called rebase-merge in which something was made or
// written.
type rebases struct {
	mu   sync.Mutex
	held map[fileID]*rebase
}

type rebase struct {
	dir      int // O_PATH
	path     string
	list     string // when the run began
	strategy string
}

var tooManyRebases = Why{Reason: "more rebases under way than can be looked at"}

// rebase takes down that an act is about a directory of that name, or about
// something in it. It is called before the act.
func (c *call) rebase(dir int, dirPath, name string) *Why {
	switch {
	case path.Base(dirPath) == rebaseDir:
		return c.holdRebase(dir, ".", dirPath, true)
	case name == rebaseDir:
		return c.holdRebase(dir, name, pathtree.Join(dirPath, name), true)
	}
	return nil
}

// holdRebase holds a directory until the end; named is that it had its name
// before the act, so that what is in it may have been there when the run began.
func (c *call) holdRebase(dir int, name, p string, named bool) *Why {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: noLinks})
	if err != nil {
		return nil // there is none
	}
	var st unix.Stat_t
	c.rebases.mu.Lock()
	defer c.rebases.mu.Unlock()
	if unix.Fstat(fd, &st) != nil || c.rebases.held[idOf(&st)] != nil {
		unix.Close(fd)
		return nil
	}
	if len(c.rebases.held) >= mostRebases {
		unix.Close(fd)
		return &tooManyRebases
	}
	r := &rebase{dir: fd, path: p}
	if id, ok := bornIDAt(fd, ""); named && !(ok && c.ages.isNew(id)) {
		r.list, _, _ = readIn(fd, "git-rebase-todo", unix.O_RDONLY)
		r.strategy, _, _ = readIn(fd, "strategy", unix.O_RDONLY)
	}
	if c.rebases.held == nil {
		c.rebases.held = map[fileID]*rebase{}
	}
	c.rebases.held[idOf(&st)] = r
	return nil
}

// endRebases judges every list that was touched. Nobody is left to write one.
func (b *Broker) endRebases() {
	if len(b.rebases.held) == 0 {
		return
	}
	var w worker
	if err := b.enter(&w); err != nil {
		b.reports.put(Denial{Operation: "write", Path: rebaseDir, Why: Why{Reason: "git may run what it names, and it could not be looked at: " + err.Error(), Protected: true}})
		return
	}
	for _, r := range b.rebases.held {
		for name, reason := range r.end(b.rules) {
			b.reports.put(Denial{Operation: "write", Path: pathtree.Join(r.path, name), Why: Why{Reason: reason, Rule: reason, Protected: true}})
		}
		unix.Close(r.dir)
	}
	b.rebases.held = nil
}

// end judges one directory. It returns the files that were changed, and why.
func (r *rebase) end(rules *index) map[string]string {
	changed := map[string]string{}
	up, err := pathDir(r.dir, "..")
	if err != nil {
		return nil // git is through with it
	}
	defer unix.Close(up)
	if !isGitDir(up, pathOfFD(up)) {
		return nil // no business of git's
	}
	for name, judge := range map[string]func(string) string{
		"git-rebase-todo": func(list string) string { return gitfiles.CommentOut(list, gitfiles.ExecLinesOf(r.list)) },
		"strategy": func(s string) string {
			if s == r.strategy {
				return s
			}
			return gitfiles.SafeStrategy(s)
		},
	} {
		if rules.reserved(pathtree.Join(r.path, name)) != nil {
			continue // the command could not write it
		}
		if reason := r.endOf(name, judge); reason != "" {
			changed[name] = reason
		}
	}
	return changed
}

// endOf judges one file, and writes what is harmless of it.
func (r *rebase) endOf(name string, judge func(string) string) (reason string) {
	before, f, err := readIn(r.dir, name, unix.O_RDWR)
	if err == unix.EACCES { // the command took its own rights to it away
		before, f, err = r.reclaim(name)
	}
	if err == unix.ENOENT || err == unix.EINVAL || err == unix.ELOOP {
		return ""
	}
	if err != nil {
		return "git may run what it names, and it could not be looked at: " + err.Error()
	}
	defer f.Close()
	var st unix.Stat_t
	after := judge(before)
	if err = unix.Fstat(int(f.Fd()), &st); err == nil && st.Size > maxState {
		after = ""
	}
	switch {
	case err == nil && after == before:
		return ""
	case err == nil && st.Nlink > 1: // another name is not git's, and stays as it is
		err = replaceIn(r.dir, name, after, st.Mode&0o777)
	case err == nil:
		if _, err = f.WriteAt([]byte(after), 0); err == nil {
			err = f.Truncate(int64(len(after)))
		}
	}
	if err != nil {
		return "git may run what it names, and it could not be changed: " + err.Error()
	}
	return "protected path: git would run a program that it names, and does not any more"
}

// reclaim opens a file whose rights, or whose directory's, its owner gave up.
func (r *rebase) reclaim(name string) (string, *os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(r.dir, &st); err != nil {
		return "", nil, err
	}
	unix.Chmod("/proc/self/fd/"+strconv.Itoa(r.dir), st.Mode&0o7777|0o700)
	if unix.Fstatat(r.dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "", nil, unix.ENOENT
	}
	unix.Fchmodat(r.dir, name, st.Mode&0o7777|0o600, 0)
	text, f, err := readIn(r.dir, name, unix.O_RDWR)
	if err == nil {
		f.Chmod(os.FileMode(st.Mode & 0o777)) // as it was
	}
	return text, f, err
}

// replaceIn puts a new file in one's place.
func replaceIn(dir int, name, content string, mode uint32) error {
	temp := name + ".srun"
	fd, err := unix.Openat(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return os.NewSyscallError("openat", err)
	}
	f := os.NewFile(uintptr(fd), temp)
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = unix.Renameat(dir, temp, dir, name)
	}
	if err != nil {
		unix.Unlinkat(dir, temp, 0)
	}
	return err
}

// pathOfFD is where a descriptor is, "" where that cannot be told.
func pathOfFD(fd int) string {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), buf)
	if err != nil || n == len(buf) {
		return ""
	}
	return string(buf[:n])
}

// readIn reads a plain file of a directory; no link is followed.
func readIn(dir int, name string, mode uint64) (string, *os.File, error) {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: mode | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC, Resolve: noLinks})
	if err != nil {
		return "", nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		f.Close()
		return "", nil, unix.EINVAL
	}
	data, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil || mode == unix.O_RDONLY {
		f.Close()
	}
	return string(data), f, err
}
