package launcher

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"srun/policy"
)

// cacheStore is the directory in which srun keeps private caches: PROJECT/SLOT/NAME.
// All is done in it by descriptors. Where it was not there before a run, that run may
// have left anything in its place: no link leads out of it, and no pipe is waited for.
type cacheStore struct {
	root *os.Root
	path string // without a symbolic link
}

// openStore opens it in the user's directory of caches, and makes it if need be.
func openStore(home string) (*cacheStore, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(home)
	if err != nil {
		return nil, err
	}
	base, err := os.OpenRoot(real)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	dir := ""
	for _, name := range []string{"srun", "caches"} {
		dir = filepath.Join(dir, name)
		if err := base.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		if st, err := base.Lstat(dir); err != nil || !st.IsDir() {
			return nil, fmt.Errorf("%s is no directory", filepath.Join(real, dir))
		}
	}
	root, err := base.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &cacheStore{root, filepath.Join(real, dir)}, nil
}

// projectOf is the directory of a project's caches.
func projectOf(root string) string {
	sum := sha256.Sum256([]byte(root))
	return hex.EncodeToString(sum[:16])
}

// mostSlots bounds the runs of one project that have caches at the same time.
const mostSlots = 64

// takeSlot finds caches of a project that no other run has. The time of the lock says
// when they were used.
func (s *cacheStore) takeSlot(project string) (name string, lock *os.File, err error) {
	for i := range mostSlots {
		name = filepath.Join(project, strconv.Itoa(i))
		if err := makeDirs(s.root, name); err != nil {
			return "", nil, err
		}
		lock, err = s.lock(name)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		now := time.Now()
		if err := s.root.Chtimes(filepath.Join(name, lockName), now, now); err != nil {
			lock.Close()
			return "", nil, err
		}
		return name, lock, nil
	}
	return "", nil, errors.New("too many runs of one project")
}

// makeDirs makes a directory and those above it, each of which must be one and no
// link: what the sandbox mounts of them it finds by their paths.
func makeDirs(in *os.Root, name string) error {
	if st, err := in.Lstat(name); err != nil || !st.IsDir() {
		if err := in.MkdirAll(name, 0o700); err != nil {
			return err
		}
	}
	for ; name != "."; name = filepath.Dir(name) {
		if st, err := in.Lstat(name); err != nil || !st.IsDir() {
			return fmt.Errorf("%s is no directory", name)
		}
	}
	return nil
}

// lockName is the file of a slot that its run has locked.
const lockName = "lock"

func (s *cacheStore) lock(slot string) (*os.File, error) {
	f, err := s.root.OpenFile(filepath.Join(slot, lockName), os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK, 0o600)
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

// prune removes caches that no run used for a month.
func (s *cacheStore) prune() {
	const stamp = "pruned"
	now := time.Now()
	st, err := s.root.Lstat(stamp)
	if err == nil && now.Sub(st.ModTime()) < pruneEvery {
		return
	}
	f, err := s.root.OpenFile(stamp, os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK, 0o600)
	if err != nil || f.Close() != nil || s.root.Chtimes(stamp, now, now) != nil {
		return
	}
	for _, project := range s.dirs(".") {
		for _, slot := range s.dirs(project) {
			if st, err := s.root.Lstat(filepath.Join(slot, lockName)); err == nil && now.Sub(st.ModTime()) > unusedFor {
				s.remove(slot)
			}
		}
		s.root.Remove(project) // where that was the last
	}
}

// remove removes a slot unless a run has it.
func (s *cacheStore) remove(slot string) error {
	lock, err := s.lock(slot)
	if err != nil {
		return err
	}
	defer lock.Close()
	return removeTree(s.root, slot)
}

// dirs are the directories in one of the store's, by their names in it.
func (s *cacheStore) dirs(in string) (names []string) {
	if st, err := s.root.Lstat(in); err != nil || !st.IsDir() {
		return nil
	}
	d, err := s.root.Open(in)
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, _ := d.ReadDir(-1)
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, filepath.Join(in, e.Name()))
		}
	}
	return names
}

// ClearCaches removes the caches of a project's runs, or those of all; busy is how
// many stay because a run has them.
func ClearCaches(p *policy.Policy, environ []string, all bool) (busy int, err error) {
	home := policy.CacheHome(p.Home, environ)
	if home == "" {
		return 0, errors.New("no home: there are no caches")
	}
	s, err := openStore(home)
	if err != nil {
		return 0, err
	}
	defer s.root.Close()
	projects := []string{projectOf(p.Filesystem.WriteRoot)}
	if all {
		projects = s.dirs(".")
	}
	for _, project := range projects {
		for _, slot := range s.dirs(project) {
			if e := s.remove(slot); errors.Is(e, unix.EWOULDBLOCK) {
				busy++
			} else {
				err = errors.Join(err, e)
			}
		}
		s.root.Remove(project) // where that was the last
	}
	return busy, err
}
