package main

const table = "linux/filter/table.go"

// denied leaves out names of deniedCalls.
func denied(name, what string, olds ...string) layer {
	l := layer{name: name, what: what, filter: true}
	for _, old := range olds {
		l.edits = append(l.edits, edit{table, old, ""})
	}
	return l
}

// rows leaves out other rows of the filter.
func rows(name, what, old, new string) layer {
	return layer{name: name, what: what, filter: true, edits: []edit{{table, old, new}}}
}

var callLayers = []layer{
	denied("mount", "no call that mounts",
		`"mount", "umount", "umount2", "pivot_root", "fsopen", "fsconfig", "fsmount", "fspick",`,
		`"move_mount", "open_tree", "mount_setattr", "chroot",`),
	{name: "namespaces", what: "no new namespaces: unshare, clone, clone3, setns", filter: true, edits: []edit{
		{table, `"setns",`, ""},
		{table, `"clone3",`, ""},
		{table, "for _, flag := range namespaceFlags {", "for _, flag := range namespaceFlags[:0] {"},
	}},
	denied("kernel", "no keyrings, bpf, perf, modules, clocks, handles and the like",
		`"add_key", "keyctl", "request_key",`,
		`"bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module",`,
		`"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd",`,
		`"syslog", "settimeofday", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64",`,
		`"sethostname", "setdomainname", "iopl", "ioperm", "vm86", "vm86old", "modify_ldt", "stime",`,
		`"open_by_handle_at", "lookup_dcookie", "fanotify_init", "vhangup", "nfsservctl", "uselib",`),
	denied("uring", "no io_uring, whose calls no filter sees", `"io_uring_setup", "io_uring_enter", "io_uring_register",`),
	denied("openat2", "no openat2, whose flags no filter sees", `"openat2",`),
	rows("families", "no socket families but Unix, IP and routing netlink",
		"rows = append(rows, row(atLeast(0, 17)))", "rows = rows[:0]"),
	{name: "protocols", what: "no protocols but TCP and UDP", filter: true, edits: []edit{
		{table, "for _, family := range []uint64{unix.AF_INET, unix.AF_INET6} {", "for _, family := range []uint64{} {"},
		{table, "rows = append(rows, row(equal(0, unix.AF_NETLINK), atLeast(2, 1)))", ""},
	}},
	{name: "datagrams", what: "no Unix datagram sockets, nor pairs of them", filter: true, edits: []edit{
		{table, "for _, kind := range []uint64{unix.SOCK_DGRAM, unix.SOCK_RAW} {", "for _, kind := range []uint64{} {"},
		{table, `return append(rows, Denial{Call: "socketcall", Errno: unix.EAFNOSUPPORT, Args: []Condition{equal(0, 8)}})`, "return rows"},
	}},
	{name: "terminal", what: "no typing into the terminal (TIOCSTI, TIOCLINUX)", filter: true, edits: []edit{
		{table, `{Call: "ioctl", Errno: unix.EPERM, Args: []Condition{masked(1, low32, unix.TIOCSTI)}},`, ""},
		{table, `{Call: "ioctl", Errno: unix.EPERM, Args: []Condition{masked(1, low32, unix.TIOCLINUX)}},`, ""},
	}},
	{name: "priorities", what: "no priorities for the caller's process group", filter: true, edits: []edit{
		{table, `Denial{Call: "setpriority", Errno: unix.EPERM, Args: []Condition{masked(0, low32, unix.PRIO_PGRP)}},`, ""},
		{table, `Denial{Call: "ioprio_set", Errno: unix.EPERM, Args: []Condition{masked(0, low32, ioprioGroup)}})`, ")"},
	}},
	{name: "ceiling", what: "no call that is newer than the table", edits: []edit{{
		"linux/filter/program.go", "K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},", "K: unix.SECCOMP_RET_ALLOW},",
	}}},
	{name: "abis", what: "no calls of another ABI than those that are known", filter: true, edits: []edit{{
		"linux/filter/generate/compile.go", "seccomp.ActErrno.SetReturnCode(int16(unix.ENOSYS))); err", "seccomp.ActAllow); err",
	}}},
}
