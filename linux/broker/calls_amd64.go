//go:build linux

package broker

import "golang.org/x/sys/unix"

// abis has the numbers of arch/x86/entry/syscalls/syscall_{64,32}.tbl.
var abis = map[uint32]*abi{
	unix.AUDIT_ARCH_X86_64: {bits: 64, calls: map[int32]kind{
		unix.SYS_OPEN: callOpen, unix.SYS_OPENAT: callOpenat, unix.SYS_CREAT: callCreat,
		unix.SYS_MKDIR: callMkdir, unix.SYS_MKDIRAT: callMkdirat, unix.SYS_MKNOD: callMknod, unix.SYS_MKNODAT: callMknodat,
		unix.SYS_LINK: callLink, unix.SYS_LINKAT: callLinkat, unix.SYS_SYMLINK: callSymlink, unix.SYS_SYMLINKAT: callSymlinkat,
		unix.SYS_RENAME: callRename, unix.SYS_RENAMEAT: callRenameat, unix.SYS_RENAMEAT2: callRenameat2,
		unix.SYS_UNLINK: callUnlink, unix.SYS_UNLINKAT: callUnlinkat, unix.SYS_RMDIR: callRmdir, unix.SYS_TRUNCATE: callTruncate,
		unix.SYS_BIND: callBind, unix.SYS_CONNECT: callConnect, unix.SYS_GETSOCKNAME: callGetsockname,
		unix.SYS_UMASK: callUmask, unix.SYS_CLONE: callClone,
	}},
	unix.AUDIT_ARCH_I386: {bits: 32, pair: 1, calls: map[int32]kind{
		5: callOpen, 295: callOpenat, 8: callCreat, 39: callMkdir, 296: callMkdirat, 14: callMknod, 297: callMknodat,
		9: callLink, 303: callLinkat, 83: callSymlink, 304: callSymlinkat, 38: callRename, 302: callRenameat, 353: callRenameat2,
		10: callUnlink, 301: callUnlinkat, 40: callRmdir, 92: callTruncate, 193: callTruncate64,
		361: callBind, 362: callConnect, 367: callGetsockname, 60: callUmask, 120: callClone,
	}},
}
