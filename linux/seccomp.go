//go:build linux

package linux

import (
	"fmt"
	"os"
	"sync"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A denial is one system call, or one use of it, that the command does not
// get. Every row holds on every ABI of the machine.
type denial struct {
	call  string
	errno unix.Errno
	args  []condition // all must hold; none: the call whatever its arguments
}

type condition struct {
	arg         uint
	op          seccomp.ScmpCompareOp
	value, mask uint64
}

func equal(arg uint, v uint64) condition     { return condition{arg, seccomp.CompareEqual, v, 0} }
func atLeast(arg uint, v uint64) condition   { return condition{arg, seccomp.CompareGreaterEqual, v, 0} }
func masked(arg uint, m, v uint64) condition { return condition{arg, seccomp.CompareMaskedEqual, v, m} }

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
	},
}

// newestCall is the highest system call number that commands get
// (removexattrat, Linux 6.13). What came later is ENOSYS, open_tree_attr with
// it; numbers from 424 on are the same on every ABI.
const newestCall = 466

// ARM's private calls (cacheflush, set_tls) lie far above all others.
const firstARMCall, lastARMCall = 0x0f0000, 0x0f00ff

// socketDenials leave TCP, UDP, Unix streams and routing netlink. On i386 libseccomp
// makes of them one denial of socketcall(SYS_SOCKET), whose arguments lie in
// memory: programs that still use it get no sockets, and all rows must share
// one errno.
func socketDenials() []denial {
	row := func(args ...condition) denial {
		return denial{call: "socket", errno: unix.EAFNOSUPPORT, args: args}
	}
	var rows []denial
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
			denial{call: "socketpair", errno: unix.EAFNOSUPPORT, args: []condition{masked(1, 0xf, kind)}})
	}
	// i386's socketcall(SYS_SOCKETPAIR): libseccomp makes no rule for it by itself.
	return append(rows, denial{call: "socketcall", errno: unix.EAFNOSUPPORT, args: []condition{equal(0, 8)}})
}

func argumentDenials(scopedSignals bool) []denial {
	rows := []denial{
		{call: "ioctl", errno: unix.EPERM, args: []condition{masked(1, low32, unix.TIOCSTI)}},
		{call: "ioctl", errno: unix.EPERM, args: []condition{masked(1, low32, unix.TIOCLINUX)}},
	}
	// The process group is the caller's as well: nobody inside renices it.
	rows = append(rows,
		denial{call: "setpriority", errno: unix.EPERM, args: []condition{masked(0, low32, unix.PRIO_PGRP)}},
		denial{call: "ioprio_set", errno: unix.EPERM, args: []condition{masked(0, low32, ioprioGroup)}})
	for _, flag := range namespaceFlags {
		rows = append(rows, denial{call: "unshare", errno: unix.EPERM, args: []condition{masked(0, flag, flag)}})
		if flag != 0x80 { // in clone these bits are the exit signal
			rows = append(rows, denial{call: "clone", errno: unix.EPERM, args: []condition{masked(0, flag, flag)}})
		}
	}
	if !scopedSignals {
		// The process group is srun's too, and Landlock does not hold the
		// signal back on this kernel.
		rows = append(rows, denial{call: "kill", errno: unix.EPERM, args: []condition{masked(0, low32, 0)}})
	}
	return rows
}

func denials(scopedSignals bool) []denial {
	var rows []denial
	for errno, calls := range deniedCalls {
		for _, call := range calls {
			rows = append(rows, denial{call: call, errno: errno})
		}
	}
	rows = append(rows, socketDenials()...)
	return append(rows, argumentDenials(scopedSignals)...)
}

// extraABIs are the other ABIs that a processor can enter besides its own.
// x32 is left out: libseccomp answers an ABI that a filter does not list with
// the bad-architecture action, and srun's is ENOSYS.
var extraABIs = map[seccomp.ScmpArch][]seccomp.ScmpArch{
	seccomp.ArchAMD64: {seccomp.ArchX86},
	seccomp.ArchARM64: {seccomp.ArchARM},
}

// filter builds the program that denies, as BPF in the kernel's encoding.
func filter(scopedSignals bool) ([]byte, error) {
	f, err := seccomp.NewFilter(seccomp.ActAllow)
	if err != nil {
		return nil, fmt.Errorf("make a filter: %w", err)
	}
	defer f.Release()
	if err := f.SetBadArchAction(seccomp.ActErrno.SetReturnCode(int16(unix.ENOSYS))); err != nil {
		return nil, fmt.Errorf("set the action for other ABIs: %w", err)
	}
	native, err := seccomp.GetNativeArch()
	if err != nil {
		return nil, fmt.Errorf("find the native ABI: %w", err)
	}
	for _, arch := range extraABIs[native] {
		if err := f.AddArch(arch); err != nil {
			return nil, fmt.Errorf("add ABI %v: %w", arch, err)
		}
	}
	for _, d := range denials(scopedSignals) {
		if err := addDenial(f, d); err != nil {
			return nil, fmt.Errorf("deny %s: %w", d.call, err)
		}
	}
	if err := notifyConnect(f); err != nil {
		return nil, err
	}
	return export(f)
}

// notifyConnect has the broker answer connect(2), and socketcall(SYS_CONNECT)
// with it.
func notifyConnect(f *seccomp.ScmpFilter) error {
	call, err := seccomp.GetSyscallFromName("connect")
	if err == nil {
		err = f.AddRule(call, seccomp.ActNotify)
	}
	if err != nil {
		return fmt.Errorf("notify of connect: %w", err)
	}
	return nil
}

func addDenial(f *seccomp.ScmpFilter, d denial) error {
	call, err := seccomp.GetSyscallFromName(d.call)
	if err != nil {
		return err
	}
	action := seccomp.ActErrno.SetReturnCode(int16(d.errno))
	if len(d.args) == 0 {
		return f.AddRule(call, action)
	}
	conds := make([]seccomp.ScmpCondition, 0, len(d.args))
	for _, c := range d.args {
		values := []uint64{c.value}
		if c.op == seccomp.CompareMaskedEqual {
			values = []uint64{c.mask, c.value}
		}
		cond, err := seccomp.MakeCondition(c.arg, c.op, values...)
		if err != nil {
			return err
		}
		conds = append(conds, cond)
	}
	return f.AddRuleConditional(call, action, conds)
}

// export reads the program back through a memory file: libseccomp writes to
// descriptors only, up to version 2.6.
func export(f *seccomp.ScmpFilter) ([]byte, error) {
	fd, err := unix.MemfdCreate("filter", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "filter")
	defer file.Close()
	if err := f.ExportBPF(file); err != nil {
		return nil, fmt.Errorf("export the filter: %w", err)
	}
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	prog := make([]byte, st.Size())
	_, err = file.ReadAt(prog, 0)
	return prog, err
}

// ceiling is a second program: a system call newer than the table gets ENOSYS,
// as on a kernel without it. libseccomp has no rule for a range of numbers.
func ceiling() ([]byte, error) {
	const nrOffset = 0 // struct seccomp_data, seccomp(2)
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: nrOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: newestCall, SkipFalse: 3},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: firstARMCall, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: lastARMCall, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	})
	if err != nil {
		return nil, fmt.Errorf("assemble the ceiling: %w", err)
	}
	return encodeBPF(raw), nil
}

// programs are both filters, or what kept them from being built.
type programs func() ([][]byte, error)

// buildFilters builds on a goroutine of its own: the half millisecond that
// libseccomp takes is spent while settings are read and paths resolved.
func buildFilters(scopedSignals bool) programs {
	var progs [][]byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		var calls, top []byte
		if calls, err = filter(scopedSignals); err == nil {
			top, err = ceiling()
		}
		progs = [][]byte{calls, top}
	}()
	return func() ([][]byte, error) {
		<-done
		return progs, err
	}
}

// theFilters are built once: they depend on nothing but the kernel.
var theFilters = sync.OnceValue(func() programs { return buildFilters(LandlockABI() >= scopedABI) })

// Prepare begins what a run needs and no policy changes. Calling it early
// makes the first run start sooner; not calling it costs nothing else.
func Prepare() { theFilters() }
