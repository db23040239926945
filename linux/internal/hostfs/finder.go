//go:build linux

package hostfs

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

type dirState int

const (
	dirUnknown dirState = iota
	dirPlain            // there, and no link on the way
	dirAbsent
	dirOther // by way of a link, or not to be looked at
)

// Find is Walk in fewer calls.
func (f *Files) Find(path string) (plan.Place, error) {
	switch f.dir(filepath.Dir(path)) {
	case dirAbsent:
		return plan.Place{Path: path, Missing: true}, nil
	case dirPlain:
		target, dir, err := Lstat(path)
		switch {
		case plan.Absent(err):
			return plan.Place{Path: path, Missing: true}, nil
		case err == nil && target == "":
			return plan.Place{Path: path, Dir: dir}, nil
		}
	}
	return plan.Walk(path, Lstat)
}

func (f *Files) dir(dir string) dirState {
	state := f.dirs[dir]
	if state != dirUnknown {
		return state
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, dir, &how)
	switch {
	case err == nil:
		unix.Close(fd)
		state = dirPlain
	case f.dirs[filepath.Dir(dir)] == dirAbsent || plan.Absent(err):
		state = dirAbsent
	default:
		state = dirOther
	}
	f.dirs[dir] = state
	return state
}

func Lstat(path string) (target string, dir bool, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return "", false, os.NewSyscallError("lstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlink(path, buf)
	if err == nil && n == 0 {
		err = unix.EINVAL
	}
	return string(buf[:max(n, 0)]), false, os.NewSyscallError("readlink", err)
}
