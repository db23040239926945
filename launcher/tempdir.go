package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"srun/policy"
)

// tempPrefix begins the names of directories for a command's temporary files, which
// are locked as long as their run lasts.
const tempPrefix = ".srun-tmp-"

// tempDir is the directory on disk for a run's temporary files; the zero one is none.
type tempDir struct {
	path string
	lock *os.File
}

// openTempDir makes it where the policy says. What a run left there that was killed
// is removed first.
func openTempDir(p *policy.Policy) (t tempDir, err error) {
	in := p.Filesystem.Tmp
	if in == "" || in == policy.TmpPrivate || in == policy.TmpHost {
		return t, nil
	}
	if in, err = filepath.EvalSymlinks(in); err == nil {
		sweepTempDirs(in)
		t.path, err = os.MkdirTemp(in, tempPrefix)
	}
	if err != nil {
		return t, fmt.Errorf("the directory for temporary files: %w", err)
	}
	if t.lock, err = lockDir(t.path); err != nil {
		os.Remove(t.path)
		return t, fmt.Errorf("the directory for temporary files: %w", err)
	}
	return t, nil
}

func lockDir(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// sweepTempDirs removes the user's that nobody has.
func sweepTempDirs(in string) {
	entries, _ := os.ReadDir(in)
	for _, e := range entries {
		path := filepath.Join(in, e.Name())
		var st unix.Stat_t
		if !e.IsDir() || !strings.HasPrefix(e.Name(), tempPrefix) || unix.Lstat(path, &st) != nil || int(st.Uid) != os.Getuid() {
			continue
		}
		if lock, err := lockDir(path); err == nil {
			removeTree(path)
			lock.Close()
		}
	}
}

// close removes it with all that is in it. No process of the sandbox is left.
func (t *tempDir) close() error {
	if t.lock == nil {
		return nil
	}
	defer t.lock.Close()
	return removeTree(t.path)
}

// removeTemp does so at the end of a run.
func (c *Cmd) removeTemp() {
	if err := c.temp.close(); err != nil {
		c.warn("remove the temporary files: %v", err)
	}
}
