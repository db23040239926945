//go:build linux

package broker

import (
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// ages knows which directories the command made in this run. All others were
// there when it began, or are the host's: protected names count in them. It
// goes by what the broker itself made, and not by times, which are not the same
// on every file system.
type ages struct {
	mu        sync.Mutex
	made      map[bornID]bool
	repos     map[bornID]bool   // of made: those that got what makes a git directory
	home      map[bornID]string // where old directories that were moved come from
	freed     map[string]bool   // paths of old directories that are there no more
	lost      map[lostName]bool // the same, by the directory that they were in
	judged    map[bornID]bool   // files whose content was judged
	gone      map[string]bool   // trees that other runs moved or removed
	runs      *runs
	moved     []move // old directories that got another path
	mostMoved int
	full      bool // more than can be remembered: everything is old from then on
}

type lostName struct {
	in   bornID
	name string
}

// move is an old directory that is elsewhere now.
type move struct {
	from string
	dir  int // O_PATH
}

// Bounds on what a command can have remembered.
const (
	mostMade  = 4 << 20
	mostFreed = 1 << 20
	mostMoved = 50_000 // each a descriptor: a quarter of those that srun may have, at most
)

func newAges(r *runs) *ages {
	most := mostMoved
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && limit.Cur/4 < mostMoved {
		most = int(limit.Cur / 4)
	}
	return &ages{runs: r, mostMoved: most,
		made: map[bornID]bool{}, repos: map[bornID]bool{}, home: map[bornID]string{},
		freed: map[string]bool{}, gone: map[string]bool{}, judged: map[bornID]bool{}, lost: map[lostName]bool{},
	}
}

// isNew tells whether the command made a directory.
func (a *ages) isNew(id bornID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made[id]
}

// isPlain tells whether the command made a directory, and no git directory of it.
func (a *ages) isPlain(id bornID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made[id] && !a.repos[id]
}

// repository takes down that a directory became a git directory.
func (a *ages) repository(id bornID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.repos[id] = true
}

// losing is told before an old directory loses its name.
func (a *ages) losing(id bornID, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.made[id] && !packages(path) {
		a.hear()
		a.runs.tell(path)
	}
}

// hear takes down what other runs tell.
func (a *ages) hear() {
	paths, more := a.runs.news()
	a.full = a.full || more || len(a.gone)+len(paths) > mostFreed
	for _, path := range paths {
		a.gone[path] = true
	}
}

// judge takes down that a file is what it is because of what is in it.
func (a *ages) judge(fd int) {
	id, ok := bornIDAt(fd, "")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.full = a.full || !ok
	if len(a.judged) < mostMade {
		a.judged[id] = true
	}
}

// wasJudged tells whether a file was. One that cannot be looked at was.
func (a *ages) wasJudged(fd int) bool {
	id, ok := bornIDAt(fd, "")
	a.mu.Lock()
	defer a.mu.Unlock()
	return !ok || a.judged[id] || len(a.judged) >= mostMade
}

// add takes down a directory that the command made. One in the place of a
// directory that was there counts as that.
func (a *ages) add(id bornID, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.full || len(a.made) >= mostMade {
		return
	}
	if a.wasThere(path) {
		delete(a.made, id) // of one that went unseen, on a file system that gives numbers again
		return
	}
	a.made[id] = true
}

// remove forgets a directory that is gone; an old one's name is remembered.
func (a *ages) remove(id bornID, in int, name, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made[id] {
		delete(a.made, id)
		return
	}
	a.free(in, name, path)
}

func (a *ages) free(in int, name, path string) {
	if a.full = a.full || len(a.freed) >= mostFreed; a.full || packages(path) {
		return
	}
	a.freed[path] = true
	if id, ok := bornIDAt(in, ""); ok && !a.made[id] {
		a.lost[lostName{id, name}] = true
	}
}

// rename takes down that a directory got another name. Old ones are held: they
// are found again wherever they get to.
func (a *ages) rename(id bornID, from spot, fromPath string, to spot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made[id] {
		return
	}
	if a.home[id] == "" {
		a.home[id] = fromPath
	}
	a.free(from.dir, from.last(), fromPath)
	if a.full || packages(fromPath) {
		return
	}
	fd, err := pathDir(to.dir, to.last())
	if a.full = err != nil || len(a.moved) >= a.mostMoved; a.full {
		if err == nil {
			unix.Close(fd)
		}
		return
	}
	a.moved = append(a.moved, move{fromPath, fd})
}

// close lets go of what is held.
func (a *ages) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.moved {
		unix.Close(m.dir)
	}
	a.moved, a.full = nil, true
	a.runs.close()
	a.runs = nil
}

// old makes a directory count as one that was there.
func (a *ages) old(id bornID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.made, id)
}

// tookPlace tells whether a directory was at a path when the run began, or may
// have been, and is not there any more.
func (a *ages) tookPlace(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.full || a.wasThere(path)
}

// comesHome tells whether an old directory gets the name that it had; alone, that
// no other lost its name meanwhile, so that nothing in it can be in another's place.
func (a *ages) comesHome(id bornID, path string) (home, alone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alone = !a.full && len(a.gone) == 0
	for freed := range a.freed {
		if freed != path {
			alone = false
			break
		}
	}
	return a.home[id] == path && !a.made[id], alone
}

// hadIn tells whether a directory that is about to lose its name has another, as
// old as itself, at a path below it.
func (a *ages) hadIn(dir int, rest string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hadBelow(dir, rest)
}

// wasThere also finds directories in those that were moved away.
func (a *ages) wasThere(path string) bool {
	if packages(path) {
		return false
	}
	if a.hear(); a.full || a.freed[path] {
		return true
	}
	for at := path; len(a.gone) > 0 && at != "/" && at != "."; at = filepath.Dir(at) {
		if a.gone[at] {
			return true
		}
	}
	for _, m := range a.moved {
		if rest, ok := strings.CutPrefix(path, m.from+"/"); ok && a.hadBelow(m.dir, rest) {
			return true
		}
	}
	return false
}

// hadBelow tells whether an old directory had another one at a path below it: it
// has it still, or lost it. What cannot be looked at was there.
func (a *ages) hadBelow(dir int, rest string) bool {
	fd, err := unix.FcntlInt(uintptr(dir), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return true
	}
	defer func() { unix.Close(fd) }()
	for name := range strings.SplitSeq(rest, "/") {
		if id, ok := bornIDAt(fd, ""); !ok || a.lost[lostName{id, name}] {
			return true
		}
		sub, err := pathDir(fd, name)
		switch {
		case err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP:
			return false
		case err != nil:
			return true
		}
		unix.Close(fd)
		fd = sub
		if id, ok := bornIDAt(fd, ""); !ok || a.made[id] {
			return false
		}
	}
	return true
}
