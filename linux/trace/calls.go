//go:build linux

package trace

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

// actKind is what a call does to a file, as far as it matters who may do it.
type actKind int

const (
	lookAct    actKind = iota // asks about it
	readAct                   // opens it for reading
	execAct                   // runs it
	writeAct                  // opens it for writing
	openAct                   // one of the three, or makeAct: its flags tell
	makeAct                   // makes a name
	removeAct                 // removes a name
	replaceAct                // gives a name to another file, or makes it
	linkAct                   // gives a file one more name
	chmodAct                  // changes what only its owner may change
	touchAct                  // changes what its owner or who may write it may change
)

// operation is the act in a denial's words.
func (k actKind) operation() string {
	switch k {
	case lookAct, readAct:
		return "read"
	case execAct:
		return "exec"
	}
	return "write"
}

// names tells whether an act needs to write the directory of its path.
func (k actKind) names() bool { return k == makeAct || k == removeAct || k == replaceAct }

// role is one of the paths that a call takes.
type role struct {
	kind  actKind
	path  int   // argument; none: the descriptor is the file
	dir   int   // argument with the directory's descriptor; none: the working directory
	flags int   // argument with AT_ flags, or with open's; none
	links links // whether a link in the last place is followed
}

const none = -1

type links int

const (
	follow   links = iota // unless a flag says otherwise
	nofollow              // unless a flag says otherwise
)

func cwd(kind actKind, path int, l links) role    { return role{kind, path, none, none, l} }
func dirAt(kind actKind, path int, l links) role  { return role{kind, path, path - 1, none, l} }
func flagAt(kind actKind, path, flags int) role   { return role{kind, path, path - 1, flags, follow} }
func descriptor(kind actKind) role                { return role{kind, none, 0, none, follow} }
func opened(path, dir, flags int) role            { return role{openAct, path, dir, flags, follow} }
func roles(name string) []role                    { return tracedRoles[name] }
func (r role) dirOf(call *syscallInfo) (fd int32) { return int32(uint32(call.args[r.dir])) }

// tracedRoles has a row for each call of filter.Traced.
var tracedRoles = map[string][]role{
	"open": {opened(0, none, 1)}, "openat": {opened(1, 0, 2)}, "openat2": {opened(1, 0, 2)}, "creat": {opened(0, none, none)},
	"truncate": {cwd(writeAct, 0, follow)}, "truncate64": {cwd(writeAct, 0, follow)},
	"execve": {cwd(execAct, 0, follow)}, "execveat": {flagAt(execAct, 1, 4)}, "bind": {cwd(makeAct, 1, nofollow)},

	"mkdir": {cwd(makeAct, 0, nofollow)}, "mkdirat": {dirAt(makeAct, 1, nofollow)},
	"mknod": {cwd(makeAct, 0, nofollow)}, "mknodat": {dirAt(makeAct, 1, nofollow)},
	"rmdir": {cwd(removeAct, 0, nofollow)}, "unlink": {cwd(removeAct, 0, nofollow)}, "unlinkat": {dirAt(removeAct, 1, nofollow)},
	"rename":    {cwd(removeAct, 0, nofollow), cwd(replaceAct, 1, nofollow)},
	"renameat":  {dirAt(removeAct, 1, nofollow), dirAt(replaceAct, 3, nofollow)},
	"renameat2": {dirAt(removeAct, 1, nofollow), dirAt(replaceAct, 3, nofollow)},
	"link":      {cwd(linkAct, 0, nofollow), cwd(makeAct, 1, nofollow)},
	"linkat":    {{linkAct, 1, 0, 4, nofollow}, dirAt(makeAct, 3, nofollow)},
	"symlink":   {cwd(makeAct, 1, nofollow)}, "symlinkat": {dirAt(makeAct, 2, nofollow)},

	"chmod": {cwd(chmodAct, 0, follow)}, "fchmod": {descriptor(chmodAct)},
	"fchmodat": {dirAt(chmodAct, 1, follow)}, "fchmodat2": {flagAt(chmodAct, 1, 3)},
	"chown": {cwd(chmodAct, 0, follow)}, "chown32": {cwd(chmodAct, 0, follow)},
	"lchown": {cwd(chmodAct, 0, nofollow)}, "lchown32": {cwd(chmodAct, 0, nofollow)},
	"fchown": {descriptor(chmodAct)}, "fchown32": {descriptor(chmodAct)}, "fchownat": {flagAt(chmodAct, 1, 4)},
	"utime": {cwd(touchAct, 0, follow)}, "utimes": {cwd(touchAct, 0, follow)}, "futimesat": {dirAt(touchAct, 1, follow)},
	"utimensat": {flagAt(touchAct, 1, 3)}, "utimensat_time64": {flagAt(touchAct, 1, 3)},
	"setxattr": {cwd(touchAct, 0, follow)}, "lsetxattr": {cwd(touchAct, 0, nofollow)},
	"fsetxattr": {descriptor(touchAct)}, "setxattrat": {flagAt(touchAct, 1, 2)},
	"removexattr": {cwd(touchAct, 0, follow)}, "lremovexattr": {cwd(touchAct, 0, nofollow)},
	"fremovexattr": {descriptor(touchAct)}, "removexattrat": {flagAt(touchAct, 1, 2)},

	"stat": {cwd(lookAct, 0, follow)}, "stat64": {cwd(lookAct, 0, follow)},
	"lstat": {cwd(lookAct, 0, nofollow)}, "lstat64": {cwd(lookAct, 0, nofollow)},
	"newfstatat": {flagAt(lookAct, 1, 3)}, "fstatat64": {flagAt(lookAct, 1, 3)}, "statx": {flagAt(lookAct, 1, 2)},
	"statfs": {cwd(lookAct, 0, follow)}, "statfs64": {cwd(lookAct, 0, follow)},
	"access": {cwd(lookAct, 0, follow)}, "faccessat": {dirAt(lookAct, 1, follow)}, "faccessat2": {flagAt(lookAct, 1, 3)},
	"readlink": {cwd(lookAct, 0, nofollow)}, "readlinkat": {dirAt(lookAct, 1, nofollow)},
	"chdir": {cwd(lookAct, 0, follow)}, "inotify_add_watch": {cwd(lookAct, 1, follow)},
	"getxattr": {cwd(lookAct, 0, follow)}, "lgetxattr": {cwd(lookAct, 0, nofollow)}, "getxattrat": {flagAt(lookAct, 1, 2)},
	"listxattr": {cwd(lookAct, 0, follow)}, "llistxattr": {cwd(lookAct, 0, nofollow)}, "listxattrat": {flagAt(lookAct, 1, 2)},
	"name_to_handle_at": {{lookAct, 1, 0, 4, nofollow}},
}

// abis are what the kernel calls those that a command can use.
var abis = map[uint32]seccomp.ScmpArch{
	unix.AUDIT_ARCH_X86_64: seccomp.ArchAMD64, unix.AUDIT_ARCH_I386: seccomp.ArchX86,
	unix.AUDIT_ARCH_AARCH64: seccomp.ArchARM64, unix.AUDIT_ARCH_ARM: seccomp.ArchARM,
}

// callName returns the name in filter.Traced of a call that stopped.
func callName(call *syscallInfo) string {
	if name := filter.NewCallName(int(call.nr)); name != "" {
		return name
	}
	name, _ := seccomp.ScmpSyscall(int32(call.nr)).GetNameByArch(abis[call.arch])
	return name
}

// act is one path that a call of a process named.
type act struct {
	kind   actKind
	pid    int
	path   string // as the call has it; "": the descriptor's own file
	dir    int32  // descriptor, or AT_FDCWD
	follow bool   // a link in the last Place
	mode   uint32 // of access(2), for readAct and writeAct
	create bool   // the file is made where there is none
}

// act decodes one path of a call; false is that it names no file.
func (r role) act(pid int, name string, call *syscallInfo) (a act, ok bool) {
	a = act{kind: r.kind, pid: pid, dir: unix.AT_FDCWD, follow: r.links == follow}
	if r.dir != none {
		a.dir = r.dirOf(call)
	}
	switch {
	case name == "bind":
		a.path, ok = boundPath(pid, call)
	case r.path == none || call.args[r.path] == 0 && r.kind == touchAct: // utimensat(2) without a path
		ok = true
	default:
		a.path, ok = readString(pid, call.args[r.path])
	}
	switch {
	case r.kind == openAct:
		a.open(openFlags(pid, name, r, call))
	case r.flags != none && call.args[r.flags]&unix.AT_SYMLINK_NOFOLLOW != 0:
		a.follow = false
	case r.flags != none && call.args[r.flags]&unix.AT_SYMLINK_FOLLOW != 0:
		a.follow = true
	}
	return a, ok
}

func openFlags(pid int, name string, r role, call *syscallInfo) uint64 {
	switch name {
	case "creat":
		return unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC
	case "openat2": // struct open_how begins with them
		how, _ := readMemory(pid, call.args[r.flags], 8)
		return binary.NativeEndian.Uint64(append(how, make([]byte, 8)...))
	}
	return call.args[r.flags]
}

// open settles what opening a file with these flags is.
func (a *act) open(flags uint64) {
	a.create = flags&unix.O_CREAT != 0
	a.follow = flags&unix.O_NOFOLLOW == 0 && flags&(unix.O_CREAT|unix.O_EXCL) != unix.O_CREAT|unix.O_EXCL
	a.mode = map[uint64]uint32{unix.O_RDONLY: unix.R_OK, unix.O_WRONLY: unix.W_OK, unix.O_RDWR: unix.R_OK | unix.W_OK}[flags&unix.O_ACCMODE]
	switch {
	case flags&unix.O_PATH != 0:
		a.kind = lookAct
	case flags&unix.O_TMPFILE == unix.O_TMPFILE: // a file without a name, in a directory
		a.kind, a.mode = writeAct, unix.W_OK|unix.X_OK
	case a.mode&unix.W_OK != 0 || flags&unix.O_TRUNC != 0:
		a.kind = writeAct
	default:
		a.kind = readAct
	}
}

func boundPath(pid int, call *syscallInfo) (string, bool) {
	addr, errno := readAddress(pid, call.args[1], call.args[2])
	if errno != 0 {
		return "", false
	}
	return pathAddress(addr)
}

// readAddress copies a process's socket address, of at most the size of struct
// sockaddr_storage as in the kernel.
func readAddress(pid int, at, size uint64) ([]byte, unix.Errno) {
	const storage = 128
	n := int32(size)
	if n < 0 || n > storage {
		return nil, unix.EINVAL
	}
	if n == 0 {
		return nil, 0
	}
	buf, ok := readMemory(pid, at, int(n))
	if !ok {
		return nil, unix.EFAULT
	}
	return buf, 0
}

// pathAddress returns the path in a Unix socket address (unix(7)).
func pathAddress(addr []byte) (string, bool) {
	if len(addr) <= 2 || *(*uint16)(unsafe.Pointer(&addr[0])) != unix.AF_UNIX || addr[2] == 0 {
		return "", false
	}
	path, _, _ := bytes.Cut(addr[2:], []byte{0})
	return string(path), true
}

// readString reads a path, as long as the kernel takes, from a process.
func readString(pid int, at uint64) (string, bool) {
	const page = 4096
	var s []byte
	for len(s) < unix.PathMax {
		part, ok := readMemory(pid, at, page-int(at%page))
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return string(append(s, part[:end]...)), true
		}
		if !ok {
			return "", false
		}
		s, at = append(s, part...), at+uint64(len(part))
	}
	return "", false
}

func readMemory(pid int, at uint64, n int) (b []byte, ok bool) {
	b = make([]byte, n)
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(n)
	got, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
	return b[:max(got, 0)], err == nil && got == n
}
