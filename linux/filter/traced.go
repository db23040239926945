//go:build linux

package filter

import "fmt"

// Traced are the system calls that file denials come from: all that take a
// path, and those that change a file's metadata through a descriptor. Where a
// command is traced, they stop.
var Traced = []string{
	// contents
	"open", "openat", "openat2", "creat", "truncate", "truncate64", "execve", "execveat", "bind",
	// names
	"mkdir", "mkdirat", "mknod", "mknodat", "rmdir", "unlink", "unlinkat",
	"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
	// metadata
	"chmod", "fchmod", "fchmodat", "fchmodat2",
	"chown", "chown32", "lchown", "lchown32", "fchown", "fchown32", "fchownat",
	"utime", "utimes", "futimesat", "utimensat", "utimensat_time64",
	"setxattr", "lsetxattr", "fsetxattr", "setxattrat",
	"removexattr", "lremovexattr", "fremovexattr", "removexattrat",
	// what only looks: it fails below a directory that may not be read
	"stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "chdir", "inotify_add_watch",
	"getxattr", "lgetxattr", "getxattrat", "listxattr", "llistxattr", "listxattrat", "name_to_handle_at",
}

// newCalls are those of Traced that are newer than some libseccomp which srun
// is built with. Their numbers are the same on every ABI.
var newCalls = map[string]int{
	"fchmodat2": 452, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
}

// NewCall returns the number of a call of Traced that libseccomp need not know.
func NewCall(name string) (nr int, ok bool) {
	nr, ok = newCalls[name]
	return nr, ok
}

// NewCallName is the reverse of [NewCall]; "" is none of them.
func NewCallName(nr int) string {
	for name, n := range newCalls {
		if n == nr {
			return name
		}
	}
	return ""
}

// TraceProgram returns the program that stops at the calls of Traced, for a
// processor (a GOARCH). Without a tracer they fail with ENOSYS.
func TraceProgram(goarch string) ([]byte, error) {
	switch goarch {
	case "amd64":
		return encoded(amd64Traced[:]), nil
	case "arm64":
		return encoded(arm64Traced[:]), nil
	}
	return nil, fmt.Errorf("no system call filter for %s", goarch)
}
