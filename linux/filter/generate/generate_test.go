//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"testing"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

// machine runs seccomp programs as the kernel does: all of them, and the
// strictest answer counts.
type machine struct{ programs []*bpf.VM }

func newMachine(t *testing.T, scopedSignals bool) machine {
	t.Helper()
	programs, err := filter.Programs("amd64", scopedSignals)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, programs...)
}

func load(t *testing.T, programs ...[]byte) machine {
	t.Helper()
	var m machine
	for _, raw := range programs {
		ins, ok := bpf.Disassemble(instructions(raw))
		if !ok {
			t.Fatal("the program holds instructions that are not classic BPF")
		}
		vm, err := bpf.NewVM(ins)
		if err != nil {
			t.Fatal(err)
		}
		m.programs = append(m.programs, vm)
	}
	return m
}

// run returns the errno that the call gets, 0 when it is allowed. The VM loads
// words in network order, so the words of struct seccomp_data are laid out so.
func (m machine) run(t *testing.T, arch uint32, nr int, args ...uint64) unix.Errno {
	t.Helper()
	data := make([]byte, 64)
	be := binary.BigEndian
	be.PutUint32(data, uint32(nr))
	be.PutUint32(data[4:], arch)
	for i, a := range args {
		be.PutUint32(data[16+8*i:], uint32(a)) // little endian: the low word first
		be.PutUint32(data[20+8*i:], uint32(a>>32))
	}
	worst := unix.Errno(0)
	for _, vm := range m.programs {
		ret, err := vm.Run(data)
		if err != nil {
			t.Fatal(err)
		}
		switch uint32(ret) & unix.SECCOMP_RET_ACTION_FULL {
		case unix.SECCOMP_RET_ALLOW:
		case unix.SECCOMP_RET_USER_NOTIF:
			worst = brokered
		case unix.SECCOMP_RET_ERRNO:
			worst = unix.Errno(ret & 0xffff)
		default:
			t.Fatalf("action %#x", ret)
		}
	}
	return worst
}

const (
	auditX8664 = 0xc000003e // linux/audit.h
	auditI386  = 0x40000003
	auditARM64 = 0xc00000b7
	auditARM   = 0x40000028
	x32Bit     = 0x40000000
	anyErrno   = unix.Errno(0xfff) // denied, whatever the number
	brokered   = unix.Errno(0xffe) // left to the broker
)

// abis are those that an x86-64 processor can enter.
var abis = []struct {
	name  string
	audit uint32
	arch  seccomp.ScmpArch
}{
	{"x86-64", auditX8664, seccomp.ArchAMD64},
	{"i386", auditI386, seccomp.ArchX86},
}

func number(t *testing.T, call string, arch seccomp.ScmpArch) (int, bool) {
	t.Helper()
	nr, err := seccomp.GetSyscallFromNameByArch(call, arch)
	if err != nil {
		t.Fatalf("%s: %v", call, err)
	}
	return int(nr), nr >= 0
}

func TestFilterDeniesOnEveryABI(t *testing.T) {
	m := newMachine(t, true)
	for _, abi := range abis {
		for _, d := range filter.Table(true) {
			nr, exists := number(t, d.Call, abi.arch)
			if !exists || len(d.Args) > 0 {
				continue
			}
			if got := m.run(t, abi.audit, nr); got != d.Errno {
				t.Errorf("%s %s: errno %d, want %d", abi.name, d.Call, got, d.Errno)
			}
		}
	}
}

func TestFilterArguments(t *testing.T) {
	m := newMachine(t, true)
	const garbage = 1 << 32
	rows := []struct {
		call string
		args []uint64
		want unix.Errno
	}{
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, 0}, 0},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, unix.IPPROTO_TCP}, 0},
		{"socket", []uint64{unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP}, 0},
		{"socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE}, 0},
		{"socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, anyErrno},
		{"socket", []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, 0},
		{"socket", []uint64{unix.AF_UNIX, unix.SOCK_SEQPACKET | unix.SOCK_NONBLOCK, 0}, 0},
		{"socket", []uint64{unix.AF_UNIX, unix.SOCK_DGRAM, 0}, anyErrno},
		{"socket", []uint64{unix.AF_UNIX, unix.SOCK_RAW, 0}, anyErrno},
		{"connect", nil, brokered},
		{"socket", []uint64{unix.AF_PACKET, unix.SOCK_RAW, 0}, anyErrno},
		{"socket", []uint64{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, anyErrno},
		{"socket", []uint64{unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, anyErrno},
		{"socket", []uint64{unix.AF_SMC, unix.SOCK_STREAM, 0}, anyErrno},
		{"socket", []uint64{unix.AF_BLUETOOTH, unix.SOCK_RAW, 0}, anyErrno},
		{"socket", []uint64{unix.AF_KEY, unix.SOCK_RAW, 2}, anyErrno},
		{"socket", []uint64{unix.AF_PACKET | garbage, unix.SOCK_RAW, 0}, anyErrno},
		{"socket", []uint64{3 | garbage, unix.SOCK_RAW, 0}, anyErrno},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, anyErrno},
		{"socket", []uint64{unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_SCTP}, anyErrno},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP | garbage}, anyErrno},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP}, anyErrno},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_RAW | unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP}, anyErrno},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_PACKET, 0}, anyErrno},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, 0},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_SEQPACKET, 0}, 0},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_DGRAM, 0}, anyErrno},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | garbage, 0}, anyErrno},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_RAW, 0}, anyErrno},
		{"ioctl", []uint64{0, unix.TCGETS}, 0},
		{"ioctl", []uint64{0, unix.TIOCSTI}, unix.EPERM},
		{"ioctl", []uint64{0, unix.TIOCSTI | garbage}, unix.EPERM},
		{"ioctl", []uint64{0, unix.TIOCLINUX}, unix.EPERM},
		{"clone", []uint64{unix.CLONE_VM | unix.CLONE_THREAD | uint64(unix.SIGCHLD)}, 0},
		{"clone", []uint64{unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)}, unix.EPERM},
		{"clone", []uint64{unix.CLONE_NEWNET}, unix.EPERM},
		{"unshare", []uint64{unix.CLONE_FILES}, 0},
		{"unshare", []uint64{unix.CLONE_NEWUSER}, unix.EPERM},
		{"unshare", []uint64{unix.CLONE_NEWNS | unix.CLONE_FS}, unix.EPERM},
		{"unshare", []uint64{0x80}, unix.EPERM},
		{"setpriority", []uint64{unix.PRIO_PROCESS, 0, 5}, 0},
		{"setpriority", []uint64{unix.PRIO_PGRP, 0, 5}, unix.EPERM},
		{"setpriority", []uint64{unix.PRIO_PGRP | garbage, 0, 5}, unix.EPERM},
		{"ioprio_set", []uint64{1, 0, 0}, 0},
		{"ioprio_set", []uint64{2, 0, 0}, unix.EPERM},
		{"kill", []uint64{0, 9}, 0}, // Landlock keeps it inside
		{"openat", []uint64{0, 0, 0}, 0},
		{"execve", nil, 0},
		{"ptrace", nil, 0},
		{"landlock_create_ruleset", nil, 0},
	}
	for _, r := range rows {
		name := fmt.Sprintf("%s%v", r.call, r.args)
		for _, abi := range abis {
			nr, exists := number(t, r.call, abi.arch)
			if !exists {
				continue
			}
			checkErrno(t, abi.name+" "+name, m.run(t, abi.audit, nr, r.args...), r.want)
		}
	}
}

func checkErrno(t *testing.T, name string, got, want unix.Errno) {
	t.Helper()
	if got != want && (want != anyErrno || got == 0) {
		t.Errorf("%s: errno %d, want %d", name, got, want)
	}
}

// i386 has one call for all of sockets, with its arguments in memory.
func TestFilterSocketcall(t *testing.T) {
	m := newMachine(t, true)
	const socketcall = 102
	checkErrno(t, "socketcall(SYS_SOCKET)", m.run(t, auditI386, socketcall, 1), anyErrno)
	checkErrno(t, "socketcall(SYS_CONNECT)", m.run(t, auditI386, socketcall, 3), brokered)
	checkErrno(t, "socketcall(SYS_SOCKETPAIR)", m.run(t, auditI386, socketcall, 8), anyErrno)
	checkErrno(t, "socketcall(SYS_ACCEPT)", m.run(t, auditI386, socketcall, 5), 0)
}

func TestFilterOtherNumbers(t *testing.T) {
	m := newMachine(t, true)
	for _, r := range []struct {
		name string
		arch uint32
		nr   int
		want unix.Errno
	}{
		{"x32 read", auditX8664, x32Bit, unix.ENOSYS},
		{"x32 io_uring_setup", auditX8664, x32Bit | 425, unix.ENOSYS},
		{"arm64 on x86-64", 0xc00000b7, 0, unix.ENOSYS},
		{"open_tree_attr", auditX8664, 467, unix.ENOSYS},
		{"open_tree_attr on i386", auditI386, 467, unix.ENOSYS},
		{"a call of the future", auditX8664, 600, unix.ENOSYS},
		{"a negative number", auditX8664, -1, unix.ENOSYS},
		{"an ARM private call", auditX8664, 0x0f0000, 0},
		{"removexattrat, the newest", auditX8664, filter.NewestCall, 0},
	} {
		checkErrno(t, r.name, m.run(t, r.arch, r.nr), r.want)
	}
}

// Without Landlock's signal scope the filter keeps kill(0) from srun's own
// process group.
func TestFilterOwnGroup(t *testing.T) {
	m := newMachine(t, false)
	nr, _ := number(t, "kill", seccomp.ArchAMD64)
	checkErrno(t, "kill(0)", m.run(t, auditX8664, nr, 0, 15), unix.EPERM)
	checkErrno(t, "kill(0) with garbage", m.run(t, auditX8664, nr, 1<<32, 15), unix.EPERM)
	checkErrno(t, "kill(7)", m.run(t, auditX8664, nr, 7, 15), 0)
}

// The committed programs answer as those that libseccomp makes of today's
// table. Its versions order instructions differently, so it is the answers that
// count and not the bytes.
func TestProgramsAreCurrent(t *testing.T) {
	audits := map[string][]uint32{"amd64": {auditX8664, auditI386}, "arm64": {auditARM64, auditARM}}
	for _, p := range processors {
		for _, scoped := range []bool{true, false} {
			committed, err := filter.Programs(p.goarch, scoped)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := compile(p, filter.Table(scoped))
			if err != nil {
				t.Fatal(err)
			}
			old, now := load(t, committed[0]), load(t, fresh)
			for _, audit := range audits[p.goarch] {
				compare(t, fmt.Sprintf("%s, ABI %#x, scoped %v", p.goarch, audit, scoped), audit, old, now)
			}
		}
	}
}

// compare asks both for every call with every value that a row of the table
// knows, and its neighbours, in each argument.
func compare(t *testing.T, name string, audit uint32, old, now machine) {
	t.Helper()
	values := map[uint64]bool{0: true, 1: true, 1 << 32: true}
	for _, d := range filter.Table(false) {
		for _, c := range d.Args {
			for _, v := range []uint64{c.Value - 1, c.Value, c.Value + 1, c.Value | 1<<32, c.Value | 1<<40} {
				values[v] = true
			}
		}
	}
	for nr := range filter.NewestCall + 1 {
		for v := range values {
			for _, args := range [][]uint64{{v}, {1, v}, {2, 3, v}, {unix.AF_INET6, 1, v}, {unix.AF_NETLINK, 3, v}, {unix.AF_INET, v}, {v, 2, 0}} {
				if got, want := old.run(t, audit, nr, args...), now.run(t, audit, nr, args...); got != want {
					t.Fatalf("%s: call %d%v: errno %d, the table wants %d: run go generate ./linux/filter", name, nr, args, got, want)
				}
			}
		}
	}
}
