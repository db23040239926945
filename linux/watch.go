//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// guard keeps denied paths from existing that did not when the run began. No
// mount can stand for a file that is not there, so the guard watches the
// directories where one could appear (inotify(7)), removes it at once, and
// looks once more when every process of the sandbox is gone.
type guard struct {
	missing []MissingPath
	removed func(MissingPath)
	inotify *os.File
	done    chan struct{}

	mu sync.Mutex
}

// newGuard returns nil when there is nothing to guard.
func newGuard(missing []MissingPath, removed func(MissingPath)) (*guard, error) {
	if len(missing) == 0 {
		return nil, nil
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, &Error{Protection: "write-deny", What: "watch for denied paths", Err: os.NewSyscallError("inotify_init1", err)}
	}
	g := &guard{
		missing: missing, removed: removed, inotify: os.NewFile(uintptr(fd), "inotify"),
		done: make(chan struct{}),
	}
	if err := g.enforce(); err != nil {
		g.inotify.Close()
		return nil, err
	}
	go g.run()
	return g, nil
}

func (g *guard) run() {
	defer close(g.done)
	buf := make([]byte, 16<<10)
	for {
		if _, err := g.inotify.Read(buf); err != nil {
			return
		}
		g.enforce()
	}
}

// stop ends the watch and looks a last time. Nothing runs in the sandbox any
// more.
func (g *guard) stop() error {
	if g == nil {
		return nil
	}
	g.inotify.Close()
	<-g.done
	return g.enforce()
}

// enforce removes what exists and should not, and watches the deepest existing
// directory on the way to each path.
func (g *guard) enforce() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, m := range g.missing {
		errs = append(errs, g.enforceOne(m))
	}
	return errors.Join(errs...)
}

func (g *guard) enforceOne(m MissingPath) error {
	dir := filepath.Dir(m.Path)
	for !isDirectory(dir) {
		dir = filepath.Dir(dir)
	}
	if err := g.watch(dir); err != nil {
		return err
	}
	if _, err := os.Lstat(m.Path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err := os.RemoveAll(m.Path); err != nil {
		return &Error{Protection: "write-deny", What: "remove " + m.Path, Err: err}
	}
	g.removed(m)
	return nil
}

// isDirectory does not follow a symbolic link: a denied path is judged by
// where it would lie.
func isDirectory(path string) bool {
	st, err := os.Lstat(path)
	return err == nil && st.IsDir()
}

const appearing = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW | unix.IN_MASK_ADD

func (g *guard) watch(dir string) error {
	raw, err := g.inotify.SyscallConn()
	if err != nil {
		return nil // stopped: the last look needs no watch
	}
	var watchErr error
	err = raw.Control(func(fd uintptr) { _, watchErr = unix.InotifyAddWatch(int(fd), dir, appearing) })
	if err != nil || errors.Is(watchErr, unix.ENOENT) || errors.Is(watchErr, unix.ENOTDIR) {
		return nil // gone again
	}
	if watchErr != nil {
		return &Error{Protection: "write-deny", What: "watch " + dir, Err: watchErr}
	}
	return nil
}
