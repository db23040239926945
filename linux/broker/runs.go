//go:build linux

package broker

import (
	"bytes"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// runs is what runs of one user that are under way at the same time tell each
// other: which directories that were there lose their name. One of them would
// take a directory that it makes in such a place for a new one.
//
// It is a file in memory to which each appends before it acts, and of which it
// reads what is new before it takes a directory for new. The last one removes it.
// nil is that there is none, where no such file can be had.
type runs struct {
	f    *os.File
	path string
	read int64
	own  map[string]int // told by this run, and not read yet
}

// mostTold bounds the file in bytes; beyond, everything is old.
const mostTold = 32 << 20

// maxTries bounds how often a file is opened that somebody else removes.
const maxTries = 20

func openRuns(path string) *runs {
	if path == "" {
		return nil
	}
	for range maxTries {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
		if err != nil {
			return nil
		}
		var st, now unix.Stat_t
		fd := int(f.Fd())
		if unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == nil && unix.Fstat(fd, &st) == nil {
			if st.Mode != unix.S_IFREG|0o600 || int(st.Uid) != os.Geteuid() {
				f.Close()
				return nil // somebody else's
			}
			if unix.Lstat(path, &now) == nil && idOf(&st) == idOf(&now) {
				return &runs{f: f, path: path, read: st.Size, own: map[string]int{}} // what was lost before is no matter
			}
		}
		f.Close()
		time.Sleep(time.Millisecond) // its last user is about to remove it
	}
	return nil
}

// close removes the file where nobody else has it.
func (r *runs) close() {
	if r == nil {
		return
	}
	if unix.Flock(int(r.f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		os.Remove(r.path)
	}
	r.f.Close()
}

// tell appends a path that a directory is about to lose.
func (r *runs) tell(path string) {
	if r != nil {
		r.own[path]++
		r.f.WriteString(path + "\x00")
	}
}

// news are the paths that were told of since the last time; more is that not all
// could be read.
func (r *runs) news() (paths []string, more bool) {
	var st unix.Stat_t
	if r == nil || unix.Fstat(int(r.f.Fd()), &st) != nil || st.Size == r.read {
		return nil, false
	}
	if st.Size > mostTold {
		return nil, true
	}
	data := make([]byte, max(st.Size-r.read, 0))
	n, err := r.f.ReadAt(data, r.read)
	if err != nil && err != io.EOF {
		return nil, true
	}
	whole := bytes.LastIndexByte(data[:n], 0) + 1
	r.read += int64(whole)
	for path := range bytes.SplitSeq(data[:whole], []byte{0}) {
		switch text := string(path); {
		case text == "":
		case r.own[text] > 1:
			r.own[text]--
		case r.own[text] == 1:
			delete(r.own, text)
		default:
			paths = append(paths, text)
		}
	}
	return paths, false
}
