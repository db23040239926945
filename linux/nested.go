//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

import (
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/policy"
	"srun/policy/gitfiles"
)

// nesting is what a plan says of directories below the writable ones. Nobody
// walks them before the command starts but for the guard, which has some
// milliseconds; what it finds later is held then.
type nesting struct {
	names  []policy.ProtectedPath
	git    gitfiles.Options
	inside map[string]bool // writable directories in a repository
	dirs   map[string]bool // git directories that were there
	roots  []string        // of the repositories, to look for more at the end
}

func (b *builder) nesting(p *policy.Policy, protected []policy.ProtectedPath) {
	n := nesting{
		git:    gitfiles.Options{Home: p.Home, AllowConfig: p.Filesystem.AllowGitConfig},
		inside: map[string]bool{}, dirs: map[string]bool{},
	}
	for _, name := range protected {
		if name.Anywhere && !strings.HasPrefix(name.Path, ".git/") {
			n.names = append(n.names, name)
		}
	}
	b.plan.nest = n
}

// reason says why a name below a writable directory is protected.
func (n *nesting) reason(path string) string {
	for _, name := range n.names {
		if name.Covers(path) {
			return name.Reason
		}
	}
	if filepath.Base(path) == "HEAD" {
		return "makes a repository of the directory"
	}
	return "in the place of a directory, and leads to protected paths"
}

// nested has the guard hold what it found.
type nested struct {
	c        *Config
	find     func(string) (place, error)
	known    map[string]fileID // what is held
	reasons  map[string]string // why
	underWay underWay
	began    int64 // before the command did, as files' times count

	mu      sync.Mutex
	pending []finding
	planted []string // directories with a new .git
	list    *guardList
	stands  bool          // the sandbox's mounts are made
	asked   bool          // the guard has a list that it has not answered
	held    chan struct{} // closed when the first list is held
}

type finding struct {
	kind int32
	path string
}

func newNested(c *Config) *nested {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now)
	return &nested{c: c, underWay: underWay{}, held: make(chan struct{}), began: now.Nano()}
}

func (n *nested) add(kind int32, path string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	path = strings.TrimSuffix(path, "/")
	switch {
	case kind == C.FOUND_PLANTED:
		n.planted = append(n.planted, path)
		return
	case kind == C.FOUND_CHANGED && n.c.Changed != nil:
		n.c.Changed(path)
	}
	n.pending = append(n.pending, finding{kind, path})
}

// take makes a list of what is pending; false when nothing of it has to be held.
func (g *guard) take() bool {
	n := g.nested
	if n.list != nil || len(n.pending) == 0 {
		return n.list != nil
	}
	n.remember()
	n.find = newFinder().find // what it knows is of the last time
	l := &guardList{known: map[string]uint32{}}
	for _, f := range n.pending {
		var err error
		switch f.kind {
		case C.FOUND_REPOSITORY:
			err = g.repository(l, f.path)
		case C.FOUND_SHARED:
			g.absent(l, MissingPath{Path: f.path, Reason: n.c.Plan.nest.reason(f.path), Protected: true})
		default:
			err = n.hold(l, f.path, n.c.Plan.nest.reason(f.path))
		}
		if err != nil {
			g.fail(guardError("hold "+f.path, err))
			g.lost()
		}
	}
	n.pending = nil
	if len(l.body) > 0 {
		l.end()
		n.list = l
	}
	return n.list != nil
}

// remember takes down what the plan holds already.
func (n *nested) remember() {
	if n.known != nil {
		return
	}
	n.known, n.reasons = map[string]fileID{}, map[string]string{}
	for _, op := range n.c.Plan.Mounts {
		n.known[op.Path] = fileID{}
	}
	for _, m := range n.c.Plan.Missing {
		n.known[m.Path] = fileID{}
	}
}

// hold has a path held that is there, and the links that lead to it.
func (n *nested) hold(l *guardList, path, reason string) error {
	p, err := n.find(path)
	if err != nil {
		return err
	}
	for _, link := range p.links {
		n.put(l, opHeldName, link, leadsThere)
	}
	if !p.missing {
		n.put(l, opHeld, p.path, reason)
	}
	return nil
}

func (n *nested) reached(path string) bool { return at(n.c.Plan.nodes, path).access == readWrite }

func (n *nested) put(l *guardList, kind opKind, path, reason string) {
	var st unix.Stat_t
	if !n.reached(path) || unix.Lstat(path, &st) != nil {
		return
	}
	if id, ok := n.known[path]; ok && (id == fileID{} || id == identity(&st)) {
		return
	}
	n.known[path] = identity(&st)
	n.reasons[path] = reason
	l.hold(kind, path)
}

// repository has all that git trusts of a repository held, and the directories
// that lead there: a repository in the place of another is trusted as that was.
func (g *guard) repository(l *guardList, dir string) error {
	n := g.nested
	found, err := gitfiles.Nested(hostFiles{}, dir, n.c.Plan.nest.git)
	if err != nil {
		return err
	}
	n.c.Plan.nest.found(dir, found)
	for _, dir := range found.Dirs {
		if n.reached(dir) {
			n.underWay.take(dir)
		}
	}
	for _, path := range found.Paths {
		p, err := n.find(path.Path)
		if err != nil {
			return err
		}
		if !n.reached(p.path) {
			continue
		}
		if !p.missing {
			n.pin(l, filepath.Dir(p.path))
		}
		if err := n.hold(l, path.Path, path.Reason); err != nil {
			return err
		}
		if _, known := n.known[p.path]; p.missing && path.Guard && !known && p.path != "" {
			g.absent(l, MissingPath{Path: p.path, Reason: path.Reason, Protected: true})
		}
	}
	return nil
}

func (n *nested) pin(l *guardList, dir string) {
	if dir == at(n.c.Plan.nodes, dir).path || !n.reached(dir) {
		return // a mount point, or out of reach
	}
	n.pin(l, filepath.Dir(dir))
	n.put(l, opHeldName, dir, holdsOne)
}

// absent has the guard remove a path, whatever makes it.
func (g *guard) absent(l *guardList, m MissingPath) {
	g.nested.known[m.Path] = fileID{}
	m.Root = filepath.Dir(m.Path)
	for p, err := g.nested.find(m.Root); err != nil || p.missing; p, err = g.nested.find(m.Root) {
		if m.Root == "/" {
			return
		}
		m.Root = filepath.Dir(m.Root)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l.absent(len(g.missing), m, g.nested.c)
	g.missing = append(g.missing, m)
}

// hold gives the guard the next list, when it has answered the last and the
// sandbox stands.
func (g *guard) hold() {
	n := g.nested
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stands || n.asked || !g.take() {
		return
	}
	list, err := memoryFile(n.list.body)
	if err == nil {
		err = unix.Sendmsg(g.sock.fd, message{kind: C.CTL_MORE}.encode(), unix.UnixRights(list), nil, unix.MSG_NOSIGNAL)
		unix.Close(list)
	}
	if err != nil && err != unix.EPIPE && err != unix.ECONNRESET { // those: it ended, and nothing runs any more
		g.fail(guardError("tell the guard", err))
		g.lost()
	}
	g.mu.Lock()
	g.held = append(g.held, n.list.held...)
	g.mu.Unlock()
	n.asked, n.list = true, nil
}

// takeRest takes what the guard found in its last look, for nobody holds it
// any more: what others may have made is srun's to judge all the same.
func (g *guard) takeRest() {
	g.nested.mu.Lock()
	defer g.nested.mu.Unlock()
	g.nested.list = nil
	g.take()
}

// answered takes the guard's word that a list is held.
func (n *nested) answered() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = false
	select {
	case <-n.held:
	default:
		close(n.held)
	}
}

// early tells whether something was found before the command runs.
func (g *guard) early() bool { return g != nil && g.first }

// stand is told that the sandbox's mounts are made. It returns when what was
// found early is held.
func (g *guard) stand() {
	if g == nil {
		return
	}
	g.nested.mu.Lock()
	g.nested.stands = true
	g.nested.mu.Unlock()
	g.hold()
	if g.first {
		select {
		case <-g.nested.held:
		case <-g.finished:
		}
	}
}
