package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"srun/policy"
)

// tempPrefix begins the names of directories for a command's temporary files, which
// are locked as long as their run lasts.
const tempPrefix = policy.TempPrefix

// tempDir is the directory on disk for a run's temporary files; the zero one is none.
type tempDir struct {
	in   *os.Root
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
		t.in, err = os.OpenRoot(in)
	}
	if err == nil {
		sweepTempDirs(t.in)
		t.path, err = os.MkdirTemp(in, tempPrefix)
	}
	if err == nil {
		if t.lock, err = lockDir(t.in, filepath.Base(t.path)); err != nil {
			os.Remove(t.path)
		}
	}
	if err != nil {
		if t.in != nil {
			t.in.Close()
		}
		return tempDir{}, fmt.Errorf("the directory for temporary files: %w", err)
	}
	return t, nil
}

func lockDir(in *os.Root, name string) (*os.File, error) {
	f, err := in.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// sweepTempDirs removes the user's that nobody has.
func sweepTempDirs(in *os.Root) {
	d, err := in.Open(".")
	if err != nil {
		return
	}
	defer d.Close()
	entries, _ := d.ReadDir(-1)
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), tempPrefix) || !isOwn(in, e.Name()) {
			continue
		}
		if lock, err := lockDir(in, e.Name()); err == nil {
			removeTree(in, e.Name())
			lock.Close()
		}
	}
}

func isOwn(in *os.Root, name string) bool {
	info, err := in.Lstat(name)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// close removes it with all that is in it. No process of the sandbox is left.
func (t *tempDir) close() error {
	if t.lock == nil {
		return nil
	}
	defer t.in.Close()
	defer t.lock.Close()
	return removeTree(t.in, filepath.Base(t.path))
}

// removeTemp does so at the end of a run.
func (c *Cmd) removeTemp() {
	if err := c.temp.close(); err != nil {
		c.warn("remove the temporary files: %v", err)
	}
}
