package launcher

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"srun/policy"
	"srun/policy/pathtree"
)

// Layer is a directory of the host's over which the command has a layer of its own:
// it reads what the host has, and writes to Upper.
type Layer struct {
	Name        string
	Path        string
	Upper, Work string // no symbolic link leads to them
}

// caches are those of one run.
type caches struct {
	layers []Layer
	bare   string   // the directory with those that the host has not got
	env    []string // what tells tools of those that the host has not got
	lock   *os.File // until it is closed, nobody else has the layers
}

// mostSlots bounds the runs of one project that have caches at the same time.
const mostSlots = 64

// openCaches makes what a project's runs have of caches ready. Whatever goes wrong
// costs the caches, and not the run.
func openCaches(p *policy.Policy, environ []string) caches {
	var c caches
	home := policy.CacheHome(p.Home, environ)
	switch {
	case p.Filesystem.Caches == policy.CachesOff || home == "":
		return c
	case p.Filesystem.Caches == policy.CachesShared:
		return caches{layers: hostCaches(p, environ)}
	}
	slot, lock, err := takeSlot(home, p.Filesystem.WriteRoot)
	if err != nil {
		return c
	}
	c.lock, c.bare = lock, filepath.Join(slot, bareName)
	if os.MkdirAll(c.bare, 0o700) != nil || !isDir(c.bare) {
		c.bare = ""
	}
	for _, cache := range policy.Caches() {
		c.add(p, environ, &cache, cache.At(p.Home, environ), filepath.Join(slot, cache.Name))
	}
	return c
}

// hostCaches are those that the host has.
func hostCaches(p *policy.Policy, environ []string) (layers []Layer) {
	for _, cache := range policy.Caches() {
		at := cache.At(p.Home, environ)
		if st, err := os.Stat(at); err == nil && st.IsDir() {
			layers = append(layers, Layer{Name: cache.Name, Path: at})
		}
	}
	return layers
}

// add makes one cache's directories ready.
func (c *caches) add(p *policy.Policy, environ []string, cache *policy.Cache, at, dir string) {
	l := Layer{Name: cache.Name, Path: at, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work")}
	st, err := os.Stat(at)
	switch {
	case at == "" || err == nil && !st.IsDir():
		return
	case err != nil && (cache.Tells == "" || c.bare == "" || mayMake(p, at)):
		return
	case err != nil:
		name, value, _ := strings.Cut(cache.Tells, "=")
		if cache.Moves != "" || !has(environ, name) { // else it is of more than that
			c.env = append(c.env, name+"="+strings.ReplaceAll(value, "%", cachePath(c.bare, cache.Name)))
		}
		return
	}
	if os.MkdirAll(l.Upper, 0o700) == nil && os.MkdirAll(l.Work, 0o700) == nil {
		c.layers = append(c.layers, l)
	}
}

// mayMake tells whether a rule lets the command make its cache where the host would
// have it. Verdicts take longer, and each start waits for this.
func mayMake(p *policy.Policy, at string) bool {
	return slices.ContainsFunc(p.Filesystem.AllowWrite, func(r policy.PathRule) bool { return pathtree.Contains(r.Path, at) })
}

// bareName is the directory of a slot with the caches that the host has not got.
const bareName = "bare"

func (c *caches) close() {
	if c.lock != nil {
		c.lock.Close()
	}
}

// cachesDir is where srun keeps them, without a symbolic link. Nobody else reads what
// is there.
func cachesDir(home string) (string, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(home)
	for _, name := range []string{"srun", "caches"} {
		if err != nil {
			return "", err
		}
		dir = filepath.Join(dir, name)
		if err = os.Mkdir(dir, 0o700); errors.Is(err, os.ErrExist) {
			err = nil
		}
		// A link in that place may be a command's, to what is then written and removed.
		if err == nil && !isDir(dir) {
			err = fmt.Errorf("%s is no directory", dir)
		}
	}
	return dir, err
}

// projectCaches is where those of a project are.
func projectCaches(dir, root string) string {
	sum := sha256.Sum256([]byte(root))
	return filepath.Join(dir, hex.EncodeToString(sum[:16]))
}

// takeSlot finds caches of a project that no other run has. The file's time says
// when they were used.
func takeSlot(home, root string) (slot string, lock *os.File, err error) {
	dir, err := cachesDir(home)
	if err != nil {
		return "", nil, err
	}
	pruneCaches(dir)
	for i := range mostSlots {
		slot = filepath.Join(projectCaches(dir, root), fmt.Sprint(i))
		if err := os.MkdirAll(slot, 0o700); err != nil {
			return "", nil, err
		}
		if !isDir(filepath.Dir(slot)) || !isDir(slot) {
			return "", nil, fmt.Errorf("%s is no directory", slot)
		}
		lock, err = lockSlot(slot)
		if err == nil {
			now := time.Now()
			os.Chtimes(lock.Name(), now, now)
			return slot, lock, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return "", nil, err
		}
	}
	return "", nil, errors.New("too many runs of one project")
}

func lockSlot(slot string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(slot, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unusedFor is how long caches stay that no run uses, and pruneEvery how often that
// is looked at.
const (
	unusedFor  = 30 * 24 * time.Hour
	pruneEvery = 24 * time.Hour
)

// pruneCaches removes those that no run used for a month.
func pruneCaches(dir string) {
	stamp := filepath.Join(dir, "pruned")
	now := time.Now()
	if st, err := os.Lstat(stamp); err == nil && now.Sub(st.ModTime()) < pruneEvery {
		return
	}
	// What is there may be a command's: it is neither followed, emptied nor waited for.
	f, err := os.OpenFile(stamp, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return
	}
	st, err := f.Stat()
	f.Close()
	if err != nil || !st.Mode().IsRegular() || os.Chtimes(stamp, now, now) != nil {
		return
	}
	for _, project := range subdirs(dir) {
		for _, slot := range subdirs(project) {
			if st, err := os.Lstat(filepath.Join(slot, "lock")); err == nil && now.Sub(st.ModTime()) > unusedFor {
				removeSlot(slot)
			}
		}
		os.Remove(project) // where that was the last
	}
}

// removeSlot removes caches unless a run has them.
func removeSlot(slot string) error {
	lock, err := lockSlot(slot)
	if err != nil {
		return err
	}
	defer lock.Close()
	return removeTree(slot)
}

// ClearCaches removes the caches of a project's runs, or those of all; busy is how
// many stay because a run has them.
func ClearCaches(p *policy.Policy, environ []string, all bool) (busy int, err error) {
	home := policy.CacheHome(p.Home, environ)
	if home == "" {
		return 0, errors.New("no home: there are no caches")
	}
	dir, err := cachesDir(home)
	if err != nil {
		return 0, err
	}
	projects := []string{projectCaches(dir, p.Filesystem.WriteRoot)}
	if all {
		projects = subdirs(dir)
	}
	for _, project := range projects {
		if !isDir(project) {
			continue
		}
		for _, slot := range subdirs(project) {
			switch e := removeSlot(slot); {
			case errors.Is(e, unix.EWOULDBLOCK):
				busy++
			default:
				err = errors.Join(err, e)
			}
		}
		os.Remove(project) // where that was the last
	}
	return busy, err
}

// isDir tells a directory, and no link to one.
func isDir(path string) bool {
	st, err := os.Lstat(path)
	return err == nil && st.IsDir()
}

func subdirs(dir string) (paths []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}
