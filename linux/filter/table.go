//go:build linux

package filter

import (
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// A Denial is one system call, or one use of it, that the command does not
// get. Every row holds on every ABI of the machine.
type Denial struct {
	Call  string
	Errno unix.Errno
	Args  []Condition // all must hold; none: the call whatever its arguments
}

// A Condition compares one argument of a call, counted from 0. All 64 bits
// count, but for a mask.
type Condition struct {
	Arg         uint
	Compare     Comparison
	Value, Mask uint64
}

// Comparison is what a [Condition] asks of its argument.
type Comparison int

// The comparisons.
const (
	Equal   Comparison = iota
	AtLeast            // unsigned
	Masked             // argument & Mask == Value
)

func equal(arg uint, v uint64) Condition     { return Condition{arg, Equal, v, 0} }
func atLeast(arg uint, v uint64) Condition   { return Condition{arg, AtLeast, v, 0} }
func masked(arg uint, m, v uint64) Condition { return Condition{arg, Masked, v, m} }

const low32 = 0xffffffff

const ioprioGroup = 2 // IOPRIO_WHO_PGRP, ioprio_set(2)

// namespaceFlags are the clone(2) flags that make a namespace. A user
// namespace would give back capabilities, and with them half of the kernel.
var namespaceFlags = []uint64{
	unix.CLONE_NEWUSER, unix.CLONE_NEWNS, unix.CLONE_NEWPID, unix.CLONE_NEWNET,
	unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP, 0x80, // CLONE_NEWTIME
}

// deniedCalls are refused whatever their arguments. EPERM where programs know
// the call and cope; ENOSYS where they probe for it and fall back.
var deniedCalls = map[unix.Errno][]string{
	unix.EPERM: {
		// mounts
		"mount", "umount", "umount2", "pivot_root", "fsopen", "fsconfig", "fsmount", "fspick",
		"move_mount", "open_tree", "mount_setattr", "chroot",
		// namespaces
		"setns",
		// keyrings
		"add_key", "keyctl", "request_key",
		// the kernel itself
		"bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module",
		"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd",
		"syslog", "settimeofday", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64",
		"sethostname", "setdomainname", "iopl", "ioperm", "vm86", "vm86old", "modify_ldt", "stime",
		"open_by_handle_at", "lookup_dcookie", "fanotify_init", "vhangup", "nfsservctl", "uselib",
		"_sysctl", "sysfs", "ustat", "create_module", "get_kernel_syms", "query_module",
	},
	unix.ENOSYS: {
		"io_uring_setup", "io_uring_enter", "io_uring_register",
		// clone3 takes its flags in memory, where no filter can look; libraries
		// fall back to clone.
		"clone3",
		// openat2 has its flags there too; libraries fall back to openat.
		"openat2",
	},
}

// socketDenials leave TCP, UDP, Unix streams and routing netlink. On i386 libseccomp
// makes of them one denial of socketcall(SYS_SOCKET), whose arguments lie in
// memory: programs that still use it get no sockets, and all rows must share
// one errno.
func socketDenials() []Denial {
	row := func(args ...Condition) Denial {
		return Denial{Call: "socket", Errno: unix.EAFNOSUPPORT, Args: args}
	}
	var rows []Denial
	for _, family := range []uint64{0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15} {
		rows = append(rows, row(equal(0, family)))
	}
	// Values with garbage above the 32 bits that the kernel takes land here too.
	rows = append(rows, row(atLeast(0, 17)))
	for _, family := range []uint64{unix.AF_INET, unix.AF_INET6} {
		rows = append(rows,
			// MPTCP, SCTP, SMC, DCCP, UDP-Lite: anything that is not TCP or UDP
			row(equal(0, family), atLeast(2, 18)),
			row(equal(0, family), masked(1, 0xf, unix.SOCK_RAW)),
			row(equal(0, family), masked(1, 0xf, unix.SOCK_PACKET)))
	}
	rows = append(rows, row(equal(0, unix.AF_NETLINK), atLeast(2, 1)))
	// A Unix datagram socket, one half of a pair too, may send to any address,
	// with calls that are too frequent to be brokered: that would reach the
	// host's sockets. AF_UNIX takes SOCK_RAW for SOCK_DGRAM (unix_create in the
	// kernel).
	for _, kind := range []uint64{unix.SOCK_DGRAM, unix.SOCK_RAW} {
		rows = append(rows,
			row(equal(0, unix.AF_UNIX), masked(1, 0xf, kind)),
			Denial{Call: "socketpair", Errno: unix.EAFNOSUPPORT, Args: []Condition{masked(1, 0xf, kind)}})
	}
	// i386's socketcall(SYS_SOCKETPAIR): libseccomp makes no rule for it by itself.
	return append(rows, Denial{Call: "socketcall", Errno: unix.EAFNOSUPPORT, Args: []Condition{equal(0, 8)}})
}

func argumentDenials(scopedSignals bool) []Denial {
	rows := []Denial{
		{Call: "ioctl", Errno: unix.EPERM, Args: []Condition{masked(1, low32, unix.TIOCSTI)}},
		{Call: "ioctl", Errno: unix.EPERM, Args: []Condition{masked(1, low32, unix.TIOCLINUX)}},
	}
	// tcflow(3) that stops a terminal's output, or its input, stops srun's as well.
	for _, stop := range []uint64{unix.TCOOFF, unix.TCIOFF} {
		rows = append(rows, Denial{Call: "ioctl", Errno: unix.EPERM, Args: []Condition{masked(1, low32, unix.TCXONC), masked(2, low32, stop)}})
	}
	// The process group is the caller's as well: nobody inside renices it.
	rows = append(rows,
		Denial{Call: "setpriority", Errno: unix.EPERM, Args: []Condition{masked(0, low32, unix.PRIO_PGRP)}},
		Denial{Call: "ioprio_set", Errno: unix.EPERM, Args: []Condition{masked(0, low32, ioprioGroup)}})
	for _, flag := range namespaceFlags {
		rows = append(rows, Denial{Call: "unshare", Errno: unix.EPERM, Args: []Condition{masked(0, flag, flag)}})
		if flag != 0x80 { // in clone these bits are the exit signal
			rows = append(rows, Denial{Call: "clone", Errno: unix.EPERM, Args: []Condition{masked(0, flag, flag)}})
		}
	}
	if !scopedSignals {
		// The process group is srun's too, and Landlock does not hold the
		// signal back on this kernel.
		rows = append(rows, Denial{Call: "kill", Errno: unix.EPERM, Args: []Condition{masked(0, low32, 0)}})
	}
	return rows
}

// Stopped are the calls that the broker does for the command: those that make,
// remove or move a name, open a file for writing, and name a socket. A row with
// arguments stops the call where they hold; reads go on untouched.
func Stopped() []Denial {
	var rows []Denial
	for _, call := range []string{
		"creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat",
		"rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "truncate", "truncate64",
		"bind", "connect", "getsockname", "umask",
	} {
		rows = append(rows, Denial{Call: call})
	}
	// The broker makes files with the caller's umask: it notes who changes it, and
	// that processes share theirs. Both calls go on by themselves.
	rows = append(rows, Denial{Call: "clone", Args: []Condition{masked(0, unix.CLONE_FS|unix.CLONE_THREAD, unix.CLONE_FS)}})
	for _, open := range []struct {
		call  string
		flags uint
	}{{"open", 1}, {"openat", 2}} {
		for _, flag := range []uint64{unix.O_WRONLY, unix.O_RDWR, unix.O_CREAT, unix.O_TRUNC} {
			// With O_PATH the kernel looks at none of these.
			rows = append(rows, Denial{Call: open.call, Args: []Condition{masked(open.flags, flag|unix.O_PATH, flag)}})
		}
	}
	return rows
}

// Table is every denial, in an order that does not change. Without
// scopedSignals, which a kernel has from Landlock ABI 6 on, a signal to the
// command's own process group is denied as well.
func Table(scopedSignals bool) []Denial {
	var rows []Denial
	for _, errno := range slices.Sorted(maps.Keys(deniedCalls)) {
		for _, call := range deniedCalls[errno] {
			rows = append(rows, Denial{Call: call, Errno: errno})
		}
	}
	rows = append(rows, socketDenials()...)
	return append(rows, argumentDenials(scopedSignals)...)
}
