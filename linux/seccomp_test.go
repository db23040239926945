//go:build linux

package linux

import (
	"encoding/binary"
	"fmt"
	"testing"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// machine runs seccomp programs as the kernel does: all of them, and the
// strictest answer counts.
type machine struct{ programs [][]bpf.Instruction }

func newMachine(t *testing.T, scopedSignals bool) machine {
	t.Helper()
	programs, err := buildFilters(scopedSignals)()
	if err != nil {
		t.Fatal(err)
	}
	var m machine
	for _, raw := range programs {
		var prog []bpf.RawInstruction
		for ; len(raw) >= 8; raw = raw[8:] {
			ne := binary.NativeEndian
			prog = append(prog, bpf.RawInstruction{Op: ne.Uint16(raw), Jt: raw[2], Jf: raw[3], K: ne.Uint32(raw[4:])})
		}
		ins, ok := bpf.Disassemble(prog)
		if !ok {
			t.Fatal("the program holds instructions that are not classic BPF")
		}
		m.programs = append(m.programs, ins)
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
	for _, prog := range m.programs {
		vm, err := bpf.NewVM(prog)
		if err != nil {
			t.Fatal(err)
		}
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
		for errno, calls := range deniedCalls {
			for _, call := range calls {
				nr, exists := number(t, call, abi.arch)
				if !exists {
					continue
				}
				if got := m.run(t, abi.audit, nr); got != errno {
					t.Errorf("%s %s: errno %d, want %d", abi.name, call, got, errno)
				}
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
		{"an ARM private call", auditX8664, firstARMCall, 0},
		{"removexattrat, the newest", auditX8664, newestCall, 0},
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

func BenchmarkFilter(b *testing.B) {
	for b.Loop() {
		if _, err := filter(true); err != nil {
			b.Fatal(err)
		}
	}
}
