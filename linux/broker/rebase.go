//go:build linux

package broker

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
	"srun/policy/pathtree"
)

// A rebase that is under way has a list of what git does next, of which some
// lines run programs. Editors write it in place, so that it is never known to be
// finished: it is judged once nobody is left who could write it. Until then
// only git inside reads it. Lines that run something and were not there before
// become comments, by the descriptor of the very directory. So are options that git
// hands on.
//
// All else in rebase-merge, rebase-apply and sequencer is data to git: names of
// objects and refs, which it checks (onto, orig-head, head-name, refs-to-delete,
// update-refs, autostash, stopped-sha, abort-safety), numbers and marks (msgnum, next,
// threeway, keep), text (message, final-commit, info) and patches, of which git apply
// refuses paths that lead out; gpg_sign_opt is a key's name behind -S, and sequencer/todo
// has no line but pick and revert. The same holds for BISECT_*: BISECT_START is one
// word that git checkout gets, which has no option that writes elsewhere or runs
// something, and BISECT_NAMES are paths behind a --; for MERGE_*, FETCH_HEAD and logs;
// for info, where exclude, sparse-checkout and grafts name nothing to be run; and for
// worktrees/*, where HEAD, locked and gitdir say nothing of programs, and git removes no
// worktree that does not lead back.

const (
	rebaseDir    = "rebase-merge"
	amDir        = "rebase-apply"
	sequencerDir = "sequencer"
)

func isRebaseDir(name string) bool { return name == rebaseDir || name == amDir }

// rebaseFiles are the files that are judged, and how: by what was there before, to
// what is harmless.
var rebaseFiles = map[string]func(before, after string) string{
	"git-rebase-todo": func(before, after string) string { return gitfiles.CommentOut(after, gitfiles.ExecLinesOf(before)) },
	"strategy":        func(_, after string) string { return gitfiles.SafeStrategy(after) },
	"strategy_opts":   func(_, after string) string { return gitfiles.SafeStrategyOptions(after) },
	"apply-opt":       func(_, after string) string { return gitfiles.SafeApplyOptions(after) },
}

// Bounds on the directories that a run may have had a rebase in, and on what is
// read of each file, in bytes. A list of a hundred thousand commits is smaller.
const (
	mostRebases = 64
	maxState    = 8 << 20
)

// rebases are the directories of such names in which something was made or written.
type rebases struct {
	mu   sync.Mutex
	held map[fileID]*rebase
}

type rebase struct {
	dir  int // O_PATH
	path string
	was  map[string]string // its files when the run began
}

var tooManyRebases = Why{Reason: "more rebases under way than can be looked at"}

// rebase takes down that an act is about a directory of that name, or about
// something in it. It is called before the act.
func (c *call) rebase(dir int, dirPath, name string) *Why {
	switch {
	case isRebaseDir(path.Base(dirPath)):
		return c.holdRebase(dir, ".", dirPath, true)
	case isRebaseDir(name):
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
	r := &rebase{dir: fd, path: p, was: map[string]string{}}
	id, known := bornIDAt(fd, "")
	for file := range rebaseFiles {
		if named && !(known && c.ages.isNew(id)) {
			r.was[file], _, _ = readIn(fd, file, unix.O_RDONLY)
		}
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
		for name, reason := range r.end(b) {
			b.reports.put(Denial{Operation: "write", Path: pathtree.Join(r.path, name), Why: Why{Reason: reason, Rule: reason, Protected: true}})
		}
		unix.Close(r.dir)
	}
	b.rebases.held = nil
}

// end judges one directory. It returns the files that were changed, and why.
func (r *rebase) end(b *Broker) map[string]string {
	defer r.open()()
	up, err := pathDir(r.dir, "..")
	if err != nil {
		return nil // git is through with it
	}
	defer unix.Close(up)
	if !maybeGitDir(up) {
		return nil // no business of git's
	}
	changed := map[string]string{}
	for name, judge := range rebaseFiles {
		if b.rules.reserved(pathtree.Join(r.path, name)) != nil {
			continue // the command could not write it
		}
		if reason := r.endOf(name, judge); reason != "" {
			changed[name] = reason
		}
	}
	return changed
}

// open opens a directory that its owner closed, until shut.
func (r *rebase) open() (shut func()) {
	var st unix.Stat_t
	if unix.Fstat(r.dir, &st) != nil || st.Mode&0o700 == 0o700 {
		return func() {}
	}
	self := "/proc/self/fd/" + strconv.Itoa(r.dir)
	if unix.Chmod(self, st.Mode&0o7777|0o700) != nil {
		return func() {}
	}
	return func() { unix.Chmod(self, st.Mode&0o7777) }
}

// maybeGitDir tells a directory that is a git directory, or that may become one
// again when what was moved aside is put back: it has a part of one, or lies in one.
func maybeGitDir(dir int) bool {
	if strings.Contains(pathOfFD(dir)+"/", "/.git/") {
		return true
	}
	for _, name := range []string{"HEAD", "objects", "refs", "commondir", "config", "index"} {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != unix.ENOENT {
			return true
		}
	}
	return false
}

// endOf judges one file, and writes what is harmless of it.
func (r *rebase) endOf(name string, judge func(before, after string) string) (reason string) {
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
	after := before
	if before != r.was[name] {
		after = judge(r.was[name], before)
	}
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
	if name == "git-rebase-todo" || name == "strategy" {
		return "protected path: git would run a program that it names, and does not any more"
	}
	return "protected path: git would hand on options that it has, and does not any more"
}

// reclaim opens a file whose rights its owner gave up.
func (r *rebase) reclaim(name string) (string, *os.File, error) {
	fd, err := unix.Openat2(r.dir, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: noLinks})
	if err != nil {
		return "", nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "", nil, unix.ENOENT
	}
	unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), st.Mode&0o7777|0o600) // the file, whatever gets its name meanwhile
	text, f, err := readIn(r.dir, name, unix.O_RDWR)
	if err == nil {
		f.Chmod(os.FileMode(st.Mode & 0o777)) // as it was
	}
	return text, f, err
}

// replaceIn puts a new file in one's place.
func replaceIn(dir int, name, content string, mode uint32) error {
	temp := name + "." + rand.Text()
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
