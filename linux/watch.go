//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// guard keeps denied paths from existing that did not when the run began. No
// mount can stand for a file that is not there, so the guard watches the
// directories where one could appear, removes it at once, and looks once more
// when every process of the sandbox is gone.
//
// It watches by directory notification (fcntl(2), F_NOTIFY) and not inotify:
// closing an inotify descriptor waits for a grace period of the kernel, which
// made every run end 5 to 15 ms later.
type guard struct {
	missing []MissingPath
	removed func(MissingPath)
	planted func(path string, final bool) []string
	changed chan os.Signal
	done    chan struct{}
	ended   chan struct{}
	dirs    map[string]*os.File
	roots   map[string]*os.Root // by MissingPath.Root
}

// pollInterval is for kernels without directory notification.
const pollInterval = 50 * time.Millisecond

// newGuard returns nil when there is nothing to guard.
func newGuard(c *Config) (*guard, error) {
	if len(c.Plan.Missing) == 0 {
		return nil, nil
	}
	g := &guard{
		missing: c.Plan.Missing, removed: c.Removed, planted: c.Planted, changed: make(chan os.Signal, 1),
		done: make(chan struct{}), ended: make(chan struct{}), dirs: map[string]*os.File{}, roots: map[string]*os.Root{},
	}
	for _, m := range g.missing {
		if g.roots[m.Root] != nil {
			continue
		}
		root, err := os.OpenRoot(m.Root)
		if err != nil {
			return nil, &Error{Protection: "write-deny", What: "open " + m.Root, Err: err}
		}
		g.roots[m.Root] = root
	}
	err := Catch(g.changed, unix.SIGIO)
	if err == nil {
		err = g.enforce(false)
	}
	if err != nil {
		Release(g.changed)
		return nil, err
	}
	go g.run()
	return g, nil
}

func (g *guard) run() {
	defer close(g.ended)
	var poll <-chan time.Time
	if slices.Contains(slices.Collect(maps.Values(g.dirs)), nil) {
		t := time.NewTicker(pollInterval)
		defer t.Stop()
		poll = t.C
	}
	for {
		select {
		case <-g.changed:
		case <-poll:
		case <-g.done:
			return
		}
		g.enforce(false)
	}
}

// stop ends the watch and looks a last time. Nothing runs in the sandbox any
// more.
func (g *guard) stop() error {
	if g == nil {
		return nil
	}
	close(g.done)
	<-g.ended
	Release(g.changed)
	err := g.enforce(true)
	for _, dir := range g.dirs {
		dir.Close()
	}
	for _, root := range g.roots {
		root.Close()
	}
	return err
}

// enforce removes what exists and should not, and watches every directory on
// the way to each path from the writable root down.
func (g *guard) enforce(final bool) error {
	var errs []error
	for _, m := range g.missing {
		errs = append(errs, g.enforceOne(m, final))
	}
	return errors.Join(errs...)
}

// enforceOne walks from the root's descriptor, which srun opened before the
// command began: what it removes lies where the command may write anyway, and
// a link that the command put in the way is removed and never followed.
func (g *guard) enforceOne(m MissingPath, final bool) error {
	root := g.roots[m.Root]
	rel, err := filepath.Rel(m.Root, m.Path)
	if err != nil {
		return err
	}
	names := strings.Split(rel, "/")
	for i := range names {
		if err := g.watch(root, filepath.Join(names[:i]...)); err != nil {
			return err
		}
		at := filepath.Join(names[:i+1]...)
		st, err := root.Lstat(at)
		switch {
		case err != nil && !errors.Is(err, fs.ErrPermission):
			return nil // not there
		case err == nil && i < len(names)-1 && st.IsDir():
			continue
		case err == nil && i < len(names)-1 && st.Mode()&fs.ModeSymlink == 0:
			return nil // a file: nothing can lie below
		}
		return g.expel(m, root, at, final)
	}
	return nil
}

// expel removes the path, relative to root, or what policy says must go of a
// .srun.
func (g *guard) expel(m MissingPath, root *os.Root, at string, final bool) error {
	unwanted := []string{filepath.Join(m.Root, at)}
	if g.planted != nil && filepath.Base(at) == ".srun" {
		unwanted = g.planted(m.Path, final)
		if err := g.watch(root, at); err != nil {
			return err
		}
	}
	for _, path := range unwanted {
		rel, err := filepath.Rel(m.Root, path)
		if err == nil {
			err = remove(root, rel)
		}
		if err != nil {
			return &Error{Protection: "write-deny", What: "remove " + path, Err: err}
		}
	}
	if len(unwanted) > 0 {
		g.removed(m)
	}
	return nil
}

// remove is Root.RemoveAll that also gets through directories without
// permissions.
func remove(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	for range 1000 { // one more directory opened each time
		var denied *fs.PathError
		if !errors.As(err, &denied) || !errors.Is(err, fs.ErrPermission) {
			break
		}
		if root.Chmod(denied.Path, 0o700) != nil && root.Chmod(filepath.Dir(denied.Path), 0o700) != nil && root.Chmod(name, 0o700) != nil {
			break
		}
		err = root.RemoveAll(name)
	}
	return err
}

// fcntl(2), F_NOTIFY
const (
	dnCreate    = 0x4 // a rename into the directory counts
	dnRename    = 0x10
	dnMultishot = 0x80000000
)

// watch asks for a signal when an entry appears in a directory of root; "" is
// root itself. A nil file in dirs is a directory that has to be polled.
func (g *guard) watch(root *os.Root, name string) error {
	if name == "" {
		name = "."
	}
	f, err := root.Open(name)
	if err != nil {
		return nil // gone again, or not to be read: it is looked at again at the end
	}
	key := filepath.Join(root.Name(), name)
	if known, ok := g.dirs[key]; ok && (known == nil || sameFile(known, f)) {
		return f.Close()
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_NOTIFY, dnCreate|dnRename|dnMultishot); err != nil {
		f.Close()
		f = nil
	}
	if old := g.dirs[key]; old != nil {
		old.Close()
	}
	g.dirs[key] = f
	return nil
}

// sameFile tells a directory from another that was put in its place.
func sameFile(a, b *os.File) bool {
	x, errA := a.Stat()
	y, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(x, y)
}
