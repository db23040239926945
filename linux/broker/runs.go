//go:build linux

package broker

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runs is what runs of one user that are under way at the same time tell each
// other: which directories that were there lose their name. One of them would
// take a directory that it makes in such a place for a new one.
//
// It is a file to which each appends before it acts, and of which it reads what
// is new before it takes a directory for new. Whoever begins or ends alone
// empties it. nil is that there is none, where no state can be kept.
type runs struct {
	f    *os.File
	read int64
	own  map[string]int // told by this run, and not read yet
}

// mostTold bounds the file in bytes; beyond, everything is old.
const mostTold = 32 << 20

func openRuns(path string) *runs {
	if path == "" || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil
	}
	r := &runs{f: f, own: map[string]int{}}
	r.emptyAlone()
	if unix.Flock(int(f.Fd()), unix.LOCK_SH) != nil {
		f.Close()
		return nil
	}
	return r
}

func (r *runs) emptyAlone() {
	if unix.Flock(int(r.f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		r.f.Truncate(0)
	}
}

func (r *runs) close() {
	if r != nil {
		r.emptyAlone()
		r.f.Close()
	}
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
