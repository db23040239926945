//go:build linux

package broker

import (
	"io"
	"os"
	"path"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy/gitfiles"
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

// mostRebases bounds the directories that a run may have had a rebase in.
const mostRebases = 256

// rebases are the directories called rebase-merge in which something was made or
// written.
type rebases struct {
	mu   sync.Mutex
	held map[fileID]*rebase
}

type rebase struct {
	dir  int // O_PATH
	path string
	had  gitfiles.ExecLines // when the run began
}

var tooManyRebases = Why{Reason: "more rebases under way than can be looked at"}

// rebase takes down that an act is about a directory of that name, or about
// something in it. It is called before the act.
func (c *call) rebase(dir int, dirPath, name string) *Why {
	switch {
	case path.Base(dirPath) == rebaseDir:
		return c.holdRebase(dir, ".", dirPath)
	case name == rebaseDir:
		return c.holdRebase(dir, name, join(dirPath, name))
	}
	return nil
}

func (c *call) holdRebase(dir int, name, p string) *Why {
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
	if !c.ages.isNew(idOf(&st)) {
		list, _, _ := readIn(fd, "git-rebase-todo", unix.O_RDONLY)
		r.had = gitfiles.ExecLinesOf(list)
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
		for name, reason := range r.end() {
			b.reports.put(Denial{Operation: "write", Path: join(r.path, name), Why: Why{Reason: reason, Rule: reason, Protected: true}})
		}
		unix.Close(r.dir)
	}
	b.rebases.held = nil
}

// end judges one directory. It returns the files that were changed, and why.
func (r *rebase) end() map[string]string {
	changed := map[string]string{}
	var st unix.Stat_t
	if unix.Fstat(r.dir, &st) != nil || st.Nlink == 0 {
		return nil // git is through with it
	}
	open := func(name string) (string, *os.File, error) {
		data, f, err := readIn(r.dir, name, unix.O_RDWR)
		if err == unix.EACCES { // the command took its own rights to it away
			unix.Chmod("/proc/self/fd/"+strconv.Itoa(r.dir), st.Mode&0o7777|0o700)
			unix.Fchmodat(r.dir, name, 0o600, 0)
			data, f, err = readIn(r.dir, name, unix.O_RDWR)
		}
		return data, f, err
	}
	for name, judge := range map[string]func(string) string{
		"git-rebase-todo": func(list string) string { return gitfiles.CommentOut(list, r.had) },
		"strategy":        gitfiles.SafeStrategy,
	} {
		before, f, err := open(name)
		if err != nil {
			continue
		}
		after := judge(before)
		if after != before {
			_, err = f.WriteAt([]byte(after), 0)
			if err == nil {
				err = f.Truncate(int64(len(after)))
			}
		}
		f.Close()
		switch {
		case err != nil:
			changed[name] = "git runs what it names, and it cannot be changed: " + err.Error()
		case after != before:
			changed[name] = "protected path: git would run a program that it names, and does not any more"
		}
	}
	return changed
}

// maxState bounds a list in bytes: one of a million commits.
const maxState = 128 << 20

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
