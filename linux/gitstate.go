//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// stateFile is a file in a directory of a git directory, both of the command's
// making: neither is followed if it is a link.
type stateFile struct {
	git       int // descriptor of the git directory
	gitPath   string
	dir, name string
	reason    string
	removed   func(MissingPath)
}

func (s stateFile) path() string { return filepath.Join(s.gitPath, s.dir, s.name) }

// clean gives the file's content to judge, and replaces it by what that returns
// where it says that it changed; by nothing, the file goes. What is no file, or
// cannot be read, goes as well.
func (s stateFile) clean(judge func(content string) (string, bool)) error {
	dir, err := s.openDir()
	if err != nil || dir < 0 {
		return err
	}
	defer unix.Close(dir)
	content, mode, err := readIn(dir, s.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == unix.EACCES && !isOurs(dir, s.name):
		return nil // not of the command's making
	case err != nil:
		return s.remove(dir, s.name)
	}
	without, changed := judge(content)
	switch {
	case !changed:
		return nil
	case without == "":
		return s.remove(dir, s.name)
	}
	if err := replaceIn(dir, s.name, without, mode); err != nil {
		return errors.Join(stateError(s.path(), err), s.remove(dir, s.name))
	}
	s.removed(MissingPath{Path: s.path(), Reason: s.reason})
	return nil
}

// openDir opens the directory; what is none goes. -1 is that there is nothing,
// or nothing that the command could have made.
func (s stateFile) openDir() (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(s.git, s.dir, flags, 0)
	switch err {
	case nil:
		return fd, nil
	case unix.ENOENT:
		return -1, nil
	case unix.ELOOP, unix.ENOTDIR:
		return -1, s.remove(s.git, s.dir)
	}
	at, pathErr := unix.Openat(s.git, s.dir, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if pathErr != nil {
		return -1, stateError(s.path(), pathErr)
	}
	defer unix.Close(at)
	if !isOurs(s.git, s.dir) {
		return -1, nil
	}
	// chmod(2) takes no descriptor of this kind.
	if err := unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", at), 0o700); err != nil {
		return -1, stateError(s.path(), err)
	}
	fd, err = unix.Openat(s.git, s.dir, flags, 0)
	if err != nil {
		return -1, stateError(s.path(), err)
	}
	return fd, nil
}

func isOurs(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || int(st.Uid) == os.Geteuid()
}

// remove removes what can be anything; an actual directory by the name of a file
// is none that git reads.
func (s stateFile) remove(dir int, name string) error {
	switch err := unix.Unlinkat(dir, name, 0); err {
	case unix.EISDIR, unix.ENOENT:
		return nil
	case nil:
		s.removed(MissingPath{Path: s.path(), Reason: s.reason})
		return nil
	default:
		return guardError("remove "+s.path(), err)
	}
}

// maxState bounds a file of git's state: a list of a million commits.
const maxState = 128 << 20

// openFile opens a file that is one for reading, and never waits for a pipe in
// its place (EINVAL).
func openFile(dir int, name string, flags int) (f *os.File, st unix.Stat_t, err error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, st, err
	}
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EINVAL
	}
	if err != nil {
		unix.Close(fd)
		return nil, st, err
	}
	return os.NewFile(uintptr(fd), name), st, nil
}

// readIn reads a file of a directory, no link followed.
func readIn(dir int, name string) (content string, mode uint32, err error) {
	f, st, err := openFile(dir, name, unix.O_NOFOLLOW)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if st.Size > maxState {
		return "", 0, unix.EFBIG
	}
	data, err := io.ReadAll(f)
	return string(data), st.Mode & 0o777, err
}

// replaceIn puts a new file in one's place. The old one could have other names.
func replaceIn(dir int, name, content string, mode uint32) error {
	temp := fmt.Sprintf("%s.srun-%d", name, os.Getpid())
	fd, err := unix.Openat(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return os.NewSyscallError("openat", err)
	}
	f := os.NewFile(uintptr(fd), temp)
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = unix.Renameat(dir, temp, dir, name)
	}
	if err != nil {
		unix.Unlinkat(dir, temp, 0)
	}
	return err
}

// namesIn lists an open directory.
func namesIn(dir int) []string {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	return names
}

// asCommand runs f without the rights of root over what is another user's: the
// command has not got them, and what f looks at is of its making.
func asCommand(f func()) error {
	runtime.LockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had [2]unix.CapUserData
	if err := unix.Capget(&head, &had[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	without := had
	without[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER
	if err := unix.Capset(&head, &without[0]); err != nil {
		return os.NewSyscallError("capset", err)
	}
	f()
	if err := unix.Capset(&head, &had[0]); err != nil {
		return os.NewSyscallError("capset", err) // the thread ends with what was locked to it
	}
	runtime.UnlockOSThread()
	return nil
}
