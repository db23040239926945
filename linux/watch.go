//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
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
		done: make(chan struct{}), ended: make(chan struct{}), dirs: map[string]*os.File{},
	}
	signal.Notify(g.changed, unix.SIGIO)
	if err := g.enforce(false); err != nil {
		signal.Stop(g.changed)
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
	signal.Stop(g.changed)
	err := g.enforce(true)
	for _, dir := range g.dirs {
		dir.Close()
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

func (g *guard) enforceOne(m MissingPath, final bool) error {
	for dir := filepath.Dir(m.Path); contains(m.Root, dir); dir = filepath.Dir(dir) {
		if err := g.watch(dir); err != nil {
			return err
		}
		if dir == "/" {
			break
		}
	}
	if _, err := os.Lstat(m.Path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	unwanted := []string{m.Path}
	if g.planted != nil && filepath.Base(m.Path) == ".srun" {
		unwanted = g.planted(m.Path, final)
		if err := g.watch(m.Path); err != nil && !errors.Is(err, unix.EACCES) {
			return err // one that srun may not read is looked at again at the end
		}
	}
	for _, path := range unwanted {
		if err := remove(path); err != nil {
			return &Error{Protection: "write-deny", What: "remove " + path, Err: err}
		}
	}
	if len(unwanted) > 0 {
		g.removed(m)
	}
	return nil
}

// remove is os.RemoveAll that also gets through directories without
// permissions.
func remove(path string) error {
	err := os.RemoveAll(path)
	for range 1000 { // one more directory opened each time
		var denied *fs.PathError
		if !errors.As(err, &denied) || !errors.Is(err, fs.ErrPermission) {
			break
		}
		if !openUp(denied.Path) && !openUp(filepath.Dir(denied.Path)) {
			break
		}
		err = os.RemoveAll(path)
	}
	return err
}

// openUp gives the owner all rights to a directory, and to nothing that a link
// put in its place would lead to.
func openUp(dir string) bool {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return os.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), 0o700) == nil
}

// fcntl(2), F_NOTIFY
const (
	dnCreate    = 0x4 // a rename into the directory counts
	dnRename    = 0x10
	dnMultishot = 0x80000000
)

// watch asks for a signal when an entry appears in dir. A nil file in dirs is a
// directory that has to be polled.
func (g *guard) watch(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
		return nil // gone again
	}
	if err != nil {
		return &Error{Protection: "write-deny", What: "watch " + dir, Err: err}
	}
	f := os.NewFile(uintptr(fd), dir)
	if known, ok := g.dirs[dir]; ok && (known == nil || sameFile(known, f)) {
		return f.Close()
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_NOTIFY, dnCreate|dnRename|dnMultishot); err != nil {
		f.Close()
		f = nil
	}
	if old := g.dirs[dir]; old != nil {
		old.Close()
	}
	g.dirs[dir] = f
	return nil
}

// sameFile tells a directory from another that was put in its place.
func sameFile(a, b *os.File) bool {
	x, errA := a.Stat()
	y, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(x, y)
}
