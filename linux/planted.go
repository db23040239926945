//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// settle removes what policy says must go of a settings directory that
// appeared.
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
		err := g.removeAll(m.Path)
		if err != nil {
			g.fail(guardError("remove "+m.Path, err))
			return
		}
		g.removed(m)
		return
	case slices.Contains(unwanted, m.Path):
		g.tell(message{kind: C.CTL_EXPEL, a: int32(number)})
		return
	}
	for _, path := range unwanted {
		if err := g.removeAll(path); err != nil {
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

// removeAll follows no link: in the place of a directory on the way, it has the
// guard look again. What a run holds may have been moved here, and stays.
func (g *guard) removeAll(path string) error {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	dir, err := unix.Openat2(unix.AT_FDCWD, filepath.Dir(path), &how)
	if err == unix.ELOOP || absent(err) {
		return nil
	} else if err != nil {
		return os.NewSyscallError("openat2", err)
	}
	defer unix.Close(dir)
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir))
	if err != nil {
		return err
	}
	defer root.Close()
	name := filepath.Base(path)
	err = fs.WalkDir(root.FS(), name, func(path string, d fs.DirEntry, err error) error {
		if st, statErr := root.Lstat(path); statErr == nil && g.nested.holds(st) {
			return fmt.Errorf("it has the protected %s in it", path)
		}
		return nil // what cannot be looked into cannot be removed
	})
	if err != nil {
		return err
	}
	return root.RemoveAll(name)
}

// holds tells whether a file is held.
func (n *nested) holds(st fs.FileInfo) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	sys, ok := st.Sys().(*syscall.Stat_t)
	for _, id := range n.known {
		if ok && id.ino == sys.Ino && id.dev == unix.Major(sys.Dev)<<20|unix.Minor(sys.Dev) {
			return true
		}
	}
	return false
}

// expelled reports a protected path that appeared below a writable directory.
func (g *guard) expelled(path string, errno unix.Errno) {
	if errno != 0 {
		g.fail(guardError("remove "+path, errno))
		return
	}
	g.removed(MissingPath{Path: path, Reason: g.nested.c.Plan.nest.reason(path), Protected: true})
}
