//go:build linux

package broker

import (
	"sync"

	"golang.org/x/sys/unix"
)

// locks are taken by acts that could together do what neither may: one that
// moves a directory, or that a rule is about, runs beside no other. Each file
// system has its own: what hangs on one holds up nothing on another.
type locks struct {
	mu sync.Mutex
	of map[uint64]*sync.RWMutex
}

// lock takes the lock of the file system that a directory is on.
func (l *locks) lock(dir int, alone bool) (unlock func()) {
	var st unix.Stat_t
	unix.Fstat(dir, &st) // none is as good as another
	l.mu.Lock()
	if l.of == nil {
		l.of = map[uint64]*sync.RWMutex{}
	}
	m := l.of[st.Dev]
	if m == nil {
		m = new(sync.RWMutex)
		l.of[st.Dev] = m
	}
	l.mu.Unlock()
	if alone {
		m.Lock()
		return m.Unlock
	}
	m.RLock()
	return m.RUnlock
}

// hold takes the lock that making a name needs, and tells the path of its
// directory, which does not change while it is held.
func (c *call) hold(s spot, alone bool) (dirPath string, unlock func()) {
	unlock = c.locks.lock(s.dir, alone)
	dirPath = c.pathOf(s.dir)
	if alone || dirPath != "" && !c.rules.sensitive(dirPath, s.last()) {
		return dirPath, unlock
	}
	unlock()
	unlock = c.locks.lock(s.dir, true)
	return c.pathOf(s.dir), unlock
}

// holdBoth takes the lock that a rename needs, and finds the paths of its
// directories, which do not change then. A name leads to the same file system
// at both ends, or the kernel refuses.
func (c *call) holdBoth(r *renaming) (unlock func()) {
	for _, alone := range []bool{false, true} {
		unlock = c.locks.lock(r.to.dir, alone)
		r.fromDir, r.toDir = c.pathOf(r.from.dir), c.pathOf(r.to.dir)
		if alone || !c.matters(r) {
			break
		}
		unlock()
	}
	return unlock
}

// matters tells whether a rename is one of the acts that must not run beside
// each other: of a directory, or to or from a name of some rule.
func (c *call) matters(r *renaming) bool {
	var st unix.Stat_t
	return r.fromDir == "" || r.toDir == "" || r.exchange ||
		c.rules.sensitive(r.fromDir, r.from.last()) || c.rules.sensitive(r.toDir, r.to.last()) ||
		unix.Fstatat(r.from.dir, r.from.last(), &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT == unix.S_IFDIR
}
