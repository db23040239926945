//go:build linux

package hostfs

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
	"srun/policy/gitfiles"
)

// Files is the real file system as planning looks at it. Most paths of a
// plan share few directories, so it asks once for each whether a link leads there,
// and then for the name in it alone. What changes meanwhile is init's to notice: it
// follows no link.
type Files struct{ dirs map[string]dirState }

// New returns one that nobody has asked yet.
func New() *Files { return &Files{map[string]dirState{"/": dirPlain}} }

func (*Files) ID(path string) (plan.FileID, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return Identity(&st), err
}

// OfRoot tells whether a file is root's; links are followed.
func (*Files) OfRoot(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Uid == 0
}

// Identity is how a plan knows a file.
func Identity(st *unix.Stat_t) plan.FileID {
	return plan.FileID{Ino: st.Ino, Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)}
}

func (*Files) Mounts() ([]byte, error) { return os.ReadFile("/proc/self/mountinfo") }

// maxConfig bounds what is read of a git file; git's own are far smaller.
const maxConfig = 1 << 20

func (*Files) Kind(path string) gitfiles.Kind {
	var st unix.Stat_t
	switch err := unix.Stat(path, &st); {
	case err != nil:
		return gitfiles.Missing
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return gitfiles.Dir
	}
	return gitfiles.File
}

func (*Files) ReadFile(path string) []byte {
	f, err := openFile(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, maxConfig)) // what git can read, it reads alike
	return data
}

// openFile opens a file for reading, and never waits for a pipe in its place.
func openFile(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EINVAL
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (*Files) ReadDir(path string) []string {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0) // as ReadFile: a pipe could be there
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return names
}

func (*Files) Same(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}
