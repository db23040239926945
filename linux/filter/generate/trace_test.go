//go:build linux

package main

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

// The committed program stops at the traced calls and at no other, on every ABI
// of each processor.
func TestTraceProgram(t *testing.T) {
	for _, p := range processors {
		raw, err := filter.TraceProgram(p.goarch)
		if err != nil {
			t.Fatal(err)
		}
		ins, ok := bpf.Disassemble(instructions(raw))
		if !ok {
			t.Fatal("the program holds instructions that are not classic BPF")
		}
		vm, err := bpf.NewVM(ins)
		if err != nil {
			t.Fatal(err)
		}
		for _, abi := range p.abis {
			stopsAt(t, vm, p.goarch, abi)
		}
		for _, other := range []uint32{0, unix.AUDIT_ARCH_S390X} {
			if got := answer(t, vm, other, 2); got != unix.SECCOMP_RET_ALLOW {
				t.Errorf("%s: ABI %#x: %#x, want allow", p.goarch, other, got)
			}
		}
	}
}

func stopsAt(t *testing.T, vm *bpf.VM, goarch string, abi seccomp.ScmpArch) {
	t.Helper()
	var traced []uint32
	for _, call := range filter.Traced {
		nr, ok, err := numberOf(call, abi)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			traced = append(traced, nr)
		}
	}
	for nr := range uint32(filter.NewestCall + 40) {
		want := uint32(unix.SECCOMP_RET_ALLOW)
		if slices.Contains(traced, nr) {
			want = unix.SECCOMP_RET_TRACE
		}
		if got := answer(t, vm, audit[abi], nr); got != want {
			t.Errorf("%s, ABI %v, call %d: %#x, want %#x: run go generate ./linux/filter", goarch, abi, nr, got, want)
		}
	}
}

func answer(t *testing.T, vm *bpf.VM, arch, nr uint32) uint32 {
	t.Helper()
	data := binary.BigEndian.AppendUint32(nil, nr)
	data = append(binary.BigEndian.AppendUint32(data, arch), make([]byte, 56)...)
	got, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(got)
}

// A call that nobody denies and that takes a path must not be forgotten: these
// are the names that say so.
func TestTracedNames(t *testing.T) {
	for _, abi := range []seccomp.ScmpArch{seccomp.ArchAMD64, seccomp.ArchX86} {
		for nr := range filter.NewestCall + 1 {
			name, err := seccomp.ScmpSyscall(nr).GetNameByArch(abi)
			if err != nil {
				continue
			}
			for _, part := range []string{"open", "unlink", "rename", "mkdir", "mknod", "chmod", "chown", "utime", "link", "exec", "xattr"} {
				if strings.Contains(name, part) && !untraced[name] && !slices.Contains(filter.Traced, name) {
					t.Errorf("%s is not traced", name)
				}
			}
		}
	}
}

// untraced do nothing to a file that their caller did not open before, or are
// denied to all.
var untraced = map[string]bool{
	"fsopen": true, "open_tree": true, "mq_open": true, "mq_unlink": true, "perf_event_open": true, "open_by_handle_at": true,
	"pidfd_open": true, "fgetxattr": true, "flistxattr": true, "kexec_load": true, "kexec_file_load": true,
}
