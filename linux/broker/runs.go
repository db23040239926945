//go:build linux

package broker

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
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
	own  map[string]bool // told by this run: once is enough
	size int             // of what this run told, in bytes
}

// mostTold bounds what one run tells, in bytes, and mostRead the file; beyond,
// everything is old.
const (
	mostTold = 32 << 20
	mostRead = 4 * mostTold
)

// maxTries bounds how often a file is opened that somebody else removes.
const maxTries = 20

// maxNames bounds the names that are tried where somebody else has one.
const maxNames = 10

// openRuns opens the file of this name, or of the first that no other user has:
// where all may make files, another could be there before.
func openRuns(path string) *runs {
	if path == "" {
		return nil
	}
	for n := range maxNames {
		name := path
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		if r, others := openRunsAt(name); !others {
			return r
		}
	}
	return nil
}

// openRunsAt opens one file; others is that somebody else has it.
func openRunsAt(path string) (r *runs, others bool) {
	for range maxTries {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, errors.Is(err, os.ErrPermission) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EISDIR) || errors.Is(err, unix.ENXIO)
		}
		var st, now unix.Stat_t
		fd := int(f.Fd())
		if unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == nil && unix.Fstat(fd, &st) == nil {
			if st.Mode != unix.S_IFREG|0o600 || int(st.Uid) != os.Geteuid() {
				f.Close()
				return nil, true
			}
			if unix.Lstat(path, &now) == nil && idOf(&st) == idOf(&now) {
				return &runs{f: f, path: path, read: st.Size, own: map[string]bool{}}, false // what was lost before is no matter
			}
		}
		f.Close()
		time.Sleep(time.Millisecond) // its last user is about to remove it
	}
	return nil, false
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

// everything is told where a run told too much: all directories may have lost
// their names.
const everything = "/"

// tell appends a path that a directory is about to lose, once.
func (r *runs) tell(path string) {
	if r == nil || r.own[path] || r.size > mostTold {
		return
	}
	if r.size += len(path) + 1; r.size > mostTold {
		path = everything
	}
	r.own[path] = true
	r.f.WriteString(path + "\x00")
}

// news are the paths that were told of since the last time; more is that not all
// could be read.
func (r *runs) news() (paths []string, more bool) {
	var st unix.Stat_t
	if r == nil || unix.Fstat(int(r.f.Fd()), &st) != nil || st.Size == r.read {
		return nil, false
	}
	if st.Size > mostRead {
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
		case text == "" || r.own[text]:
		case text == everything:
			return nil, true
		default:
			paths = append(paths, text)
		}
	}
	return paths, false
}
