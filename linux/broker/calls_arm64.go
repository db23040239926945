//go:build linux

package broker

import "golang.org/x/sys/unix"

// abis has the numbers of include/uapi/asm-generic/unistd.h and
// arch/arm/tools/syscall.tbl.
var abis = map[uint32]*abi{
	unix.AUDIT_ARCH_AARCH64: {bits: 64, calls: map[int32]kind{
		unix.SYS_OPENAT: callOpenat, unix.SYS_MKDIRAT: callMkdirat, unix.SYS_MKNODAT: callMknodat,
		unix.SYS_LINKAT: callLinkat, unix.SYS_SYMLINKAT: callSymlinkat,
		unix.SYS_RENAMEAT: callRenameat, unix.SYS_RENAMEAT2: callRenameat2,
		unix.SYS_UNLINKAT: callUnlinkat, unix.SYS_TRUNCATE: callTruncate,
		unix.SYS_BIND: callBind, unix.SYS_CONNECT: callConnect, unix.SYS_GETSOCKNAME: callGetsockname,
		unix.SYS_UMASK: callUmask, unix.SYS_CLONE: callClone,
	}},
	unix.AUDIT_ARCH_ARM: {bits: 32, pair: 2, calls: map[int32]kind{
		5: callOpen, 322: callOpenat, 8: callCreat, 39: callMkdir, 323: callMkdirat, 14: callMknod, 324: callMknodat,
		9: callLink, 330: callLinkat, 83: callSymlink, 331: callSymlinkat, 38: callRename, 329: callRenameat, 382: callRenameat2,
		10: callUnlink, 328: callUnlinkat, 40: callRmdir, 92: callTruncate, 193: callTruncate64,
		282: callBind, 283: callConnect, 286: callGetsockname, 60: callUmask, 120: callClone,
	}},
}
