//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// settle removes what policy says must go of a settings directory that
// appeared. It works from the root's descriptor: a link in the way is never
// followed.
func (g *guard) settle(number int, final bool) {
	m := g.listed()[number]
	if err := unix.Lstat(m.Path, &unix.Stat_t{}); errors.Is(err, fs.ErrNotExist) {
		return
	}
	unwanted := g.planted(m.Path, final)
	switch {
	case len(unwanted) == 0:
		return
	case g.over && slices.Contains(unwanted, m.Path):
		g.remove(m.Path, m.Reason)
		return
	case slices.Contains(unwanted, m.Path):
		g.tell(message{kind: C.CTL_EXPEL, a: int32(number)})
		return
	}
	root, err := os.OpenRoot(m.Root)
	if err != nil {
		g.fail(guardError("open "+m.Root, err))
		return
	}
	defer root.Close()
	for _, path := range unwanted {
		rel, err := filepath.Rel(m.Root, path)
		if err == nil {
			err = root.RemoveAll(rel)
		}
		if err != nil {
			g.fail(guardError("remove "+path, err))
			return
		}
	}
	g.removed(m)
}

// whyHeld returns why a path is held, or the directory that it lies in, "" when
// it is not. whole tells that nothing of it may be written, and not just that it
// stays where it is.
func (g *guard) whyHeld(path string) (reason string, whole bool) {
	n := g.nested
	n.mu.Lock()
	defer n.mu.Unlock()
	reason = n.reasons[path]
	for dir := path; dir != "/"; dir = filepath.Dir(dir) {
		if why := n.reasons[dir]; why != "" && why != holdsOne && why != leadsThere {
			return why, true
		}
	}
	return reason, false
}

// expelled reports a protected path that appeared below a writable directory.
func (g *guard) expelled(path string, errno unix.Errno) {
	if errno != 0 {
		g.fail(guardError("remove "+path, errno))
		return
	}
	g.removed(MissingPath{Path: path, Reason: g.nested.c.Plan.nest.reason(path), Protected: true})
}
