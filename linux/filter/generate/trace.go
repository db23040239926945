//go:build linux

package main

import (
	"fmt"
	"slices"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

// audit is what seccomp(2) calls the ABIs (linux/audit.h).
var audit = map[seccomp.ScmpArch]uint32{
	seccomp.ArchAMD64: unix.AUDIT_ARCH_X86_64, seccomp.ArchX86: unix.AUDIT_ARCH_I386,
	seccomp.ArchARM64: unix.AUDIT_ARCH_AARCH64, seccomp.ArchARM: unix.AUDIT_ARCH_ARM,
}

// numberOf returns a traced call's number; false is that the ABI has none.
func numberOf(call string, abi seccomp.ScmpArch) (nr uint32, ok bool, err error) {
	if nr, known := filter.NewCall(call); known {
		return uint32(nr), true, nil
	}
	n, err := seccomp.GetSyscallFromNameByArch(call, abi)
	if err != nil {
		return 0, false, fmt.Errorf("trace %s: %w", call, err)
	}
	return uint32(n), n >= 0, nil // libseccomp has negative numbers for what an ABI lacks
}

// traceProgram is a list of numbers for each ABI. libseccomp is not asked: it
// has no way to list a call that it does not know.
func traceProgram(p processor) ([]bpf.RawInstruction, error) {
	const archOffset, nrOffset = 4, 0 // struct seccomp_data, seccomp(2)
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: archOffset, Size: 4}}
	for _, abi := range p.abis {
		var numbers []uint32
		for _, call := range filter.Traced {
			nr, ok, err := numberOf(call, abi)
			if err != nil {
				return nil, err
			}
			if ok {
				numbers = append(numbers, nr)
			}
		}
		slices.Sort(numbers)
		program = append(program, section(audit[abi], nrOffset, numbers)...)
	}
	return bpf.Assemble(append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}))
}

// section asks for one ABI; for another it goes on behind its end.
func section(audit, nrOffset uint32, numbers []uint32) []bpf.Instruction {
	body := []bpf.Instruction{bpf.LoadAbsolute{Off: nrOffset, Size: 4}}
	for i, nr := range numbers {
		body = append(body, bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipTrue: uint8(len(numbers) - i)})
	}
	body = append(body, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}, bpf.RetConstant{Val: unix.SECCOMP_RET_TRACE})
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: audit, SkipFalse: uint8(len(body))}}, body...)
}
