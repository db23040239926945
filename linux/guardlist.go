//go:build linux

package linux

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// guardList is what the guard keeps to, as absent.c and held.c read it: every
// directory comes before what is in it.
type guardList struct {
	body  []byte
	known map[string]uint32 // directories, by path
	held  []string          // paths, by their numbers
	nests int
}

// newGuardList has to be made before init applies the plan: what the host
// replaces later has another identity.
func newGuardList(c *Config) *guardList {
	l := &guardList{known: map[string]uint32{}}
	for number, m := range c.Plan.Missing {
		l.absent(number, m, c)
	}
	for _, op := range c.Plan.Mounts {
		switch op.Kind {
		case opSeal:
			l.hold(opHeld, op.Path)
		case opHide:
			l.hold(opHeldHide, op.Path)
		case opFile:
			if op.standIn { // its next version is hidden
				l.hold(opHeldHide, op.Path)
			}
		case opPin:
			l.hold(opHeldPin, op.Path)
		}
	}
	l.nest(c)
	l.end()
	return l
}

func (l *guardList) end() { l.body = appendOp(l.body, opEnd, 0, 0, 0, "") }

func (l *guardList) empty() bool { return len(l.known)+l.nests == 0 }

// nest lists the writable directories, and the names that are protected at any
// depth in them.
func (l *guardList) nest(c *Config) {
	for _, n := range c.Plan.nodes {
		if n.dir && n.access != readWrite && n.parent != nil && n.parent.access == readWrite {
			l.body = appendOp(l.body, opNest, 0, 1, 0, n.path) // what appears there is not the command's
		}
		if n.access != readWrite || !n.dir || n.parent != nil && n.parent.access == readWrite && !n.allowWrite {
			continue
		}
		l.body = appendOp(l.body, opNest, 0, 0, flag(c.Plan.nest.inside[n.path]), n.path)
		l.nests++
	}
	for _, p := range c.Plan.nest.names {
		l.body = appendOp(l.body, opName, 0, 0, flag(c.Planted != nil && p.Path == ".srun"), p.Path)
	}
}

func flag(set bool) uint32 {
	if set {
		return 1
	}
	return 0
}

func (l *guardList) directory(kind opKind, slot uint32, a uint64, b uint32, path, name string) {
	l.known[path] = uint32(len(l.known))
	l.body = appendOp(l.body, kind, slot, a, b, name)
}

// absent lists a denied name, and the directories on the way to it.
func (l *guardList) absent(number int, m MissingPath, c *Config) {
	if _, ok := l.known[m.Root]; !ok {
		var id fileID
		if m.Root == c.Dir {
			id = c.Plan.dir
		}
		l.directory(opRoot, 0, id.ino, id.dev, m.Root, m.Root)
	}
	at := m.Root
	names := strings.Split(strings.TrimPrefix(m.Path[len(m.Root):], "/"), "/")
	for _, name := range names[:len(names)-1] {
		below := filepath.Join(at, name)
		if _, ok := l.known[below]; !ok {
			l.directory(opBelow, l.known[at], uint64(number), 0, below, name)
		}
		at = below
	}
	shared := flag(c.Planted != nil && isShared(m))
	l.body = appendOp(l.body, opAbsent, l.known[at], uint64(number), shared, names[len(names)-1])
}

func isShared(m MissingPath) bool { return filepath.Base(m.Path) == ".srun" }

// hold lists a path that init mounts something on.
func (l *guardList) hold(kind opKind, path string) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return // init will fail on it
	}
	dir := filepath.Dir(path)
	if _, ok := l.known[dir]; !ok {
		l.directory(opNear, 0, 0, 0, dir, dir)
	}
	id := identity(&st)
	l.body = appendOp(l.body, kind, l.known[dir], id.ino, id.dev, path)
	l.held = append(l.held, path)
}
