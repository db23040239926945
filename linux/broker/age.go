//go:build linux

package broker

import (
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// fileID tells a file from every other that is there at the time.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{st.Dev, st.Ino} }

// ages knows which directories the command made in this run. All others were
// there when it began, or are the host's: protected names count in them. It
// goes by what the broker itself made, and not by times, which are not the same
// on every file system.
type ages struct {
	mu    sync.Mutex
	made  map[fileID]bool
	freed map[string]bool   // names of old directories that are there no more
	home  map[fileID]string // where old directories that were moved come from
	moved []move            // old directories that got another name
	repos map[fileID]bool   // of made: those that got what makes a git directory
	full  bool              // more than can be remembered: everything is old from then on
}

type move struct{ from, to string }

// Bounds on what a command can have remembered.
const (
	mostMade  = 4 << 20
	mostFreed = 1 << 20
	mostMoved = 10_000
)

func newAges() *ages {
	return &ages{made: map[fileID]bool{}, freed: map[string]bool{}, repos: map[fileID]bool{}, home: map[fileID]string{}}
}

// isNew tells whether the command made a directory.
func (a *ages) isNew(id fileID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made[id]
}

// isPlain tells whether the command made a directory, and no git directory of it.
func (a *ages) isPlain(id fileID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made[id] && !a.repos[id]
}

// repository takes down that a directory became a git directory.
func (a *ages) repository(id fileID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.repos[id] = true
}

// add takes down a directory that the command made. One in the place of a
// directory that was there counts as that.
func (a *ages) add(id fileID, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.full || len(a.made) >= mostMade {
		return
	}
	if !a.wasThere(path, 0) {
		a.made[id] = true
	}
}

// remove forgets a directory that is gone; an old one's name is remembered.
func (a *ages) remove(id fileID, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made[id] {
		delete(a.made, id)
		return
	}
	a.free(path)
}

// missing makes a directory that is made at a path count as one that was there.
func (a *ages) missing(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free(path)
}

func (a *ages) free(path string) {
	if a.full = a.full || len(a.freed) >= mostFreed; !a.full {
		a.freed[path] = true
	}
}

// rename takes down that an old directory got another name.
func (a *ages) rename(id fileID, from, to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made[id] {
		return
	}
	if a.home[id] == "" {
		a.home[id] = from
	}
	a.free(from)
	if a.full = a.full || len(a.moved) >= mostMoved; !a.full {
		a.moved = append(a.moved, move{from, to})
	}
}

// old makes a directory count as one that was there.
func (a *ages) old(id fileID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.made, id)
}

// tookPlace tells whether a directory was at a path when the run began, or may
// have been, and is not there any more.
func (a *ages) tookPlace(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.full || a.wasThere(path, 0)
}

// comesHome tells whether an old directory gets the name that it had.
func (a *ages) comesHome(id fileID, path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.home[id] == path && !a.made[id]
}

// maxMoves bounds how often one directory's way is followed back.
const maxMoves = 8

// wasThere also finds directories in those that were moved away: there, or by
// the name that they lost there. Packages come and go in node_modules, and have
// such names.
func (a *ages) wasThere(path string, depth int) bool {
	if strings.Contains(path, "/node_modules/") {
		return false
	}
	if a.freed[path] || depth > maxMoves {
		return true
	}
	for _, m := range a.moved {
		if rest, ok := strings.CutPrefix(path, m.from+"/"); ok && (a.freed[m.to+"/"+rest] || a.isOldAt(m.to+"/"+rest)) {
			return true
		}
	}
	return false
}

// isOldAt is asked under the lock for what lies in a moved directory. A path
// is looked up with srun's eyes, and only to know more names as old.
func (a *ages) isOldAt(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && !a.made[idOf(&st)]
}
