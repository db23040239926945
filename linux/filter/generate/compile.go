//go:build linux

package main

import (
	"fmt"
	"os"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

// processor is one that srun is built for, with the other ABIs that it can
// enter. x32 is left out: libseccomp answers an ABI that a filter does not list
// with the bad-architecture action, and srun's is ENOSYS.
type processor struct {
	goarch string
	abis   []seccomp.ScmpArch
}

var processors = []processor{
	{"amd64", []seccomp.ScmpArch{seccomp.ArchAMD64, seccomp.ArchX86}},
	{"arm64", []seccomp.ScmpArch{seccomp.ArchARM64, seccomp.ArchARM}},
}

// compile returns the program that denies, in the kernel's encoding.
func compile(p processor, table []filter.Denial) ([]byte, error) {
	f, err := seccomp.NewFilter(seccomp.ActAllow)
	if err != nil {
		return nil, fmt.Errorf("make a filter: %w", err)
	}
	defer f.Release()
	if err := f.SetBadArchAction(seccomp.ActErrno.SetReturnCode(int16(unix.ENOSYS))); err != nil {
		return nil, fmt.Errorf("set the action for other ABIs: %w", err)
	}
	if err := setABIs(f, p.abis); err != nil {
		return nil, err
	}
	for _, d := range table {
		if err := addDenial(f, d); err != nil {
			return nil, fmt.Errorf("deny %s: %w", d.Call, err)
		}
	}
	for _, d := range filter.Stopped() {
		if err := notify(f, d); err != nil {
			return nil, fmt.Errorf("notify of %s: %w", d.Call, err)
		}
	}
	return export(f)
}

// setABIs makes the filter one for these ABIs and no other: a new one has the
// ABI of the machine that runs this.
func setABIs(f *seccomp.ScmpFilter, abis []seccomp.ScmpArch) error {
	native, err := seccomp.GetNativeArch()
	if err != nil {
		return fmt.Errorf("find the native ABI: %w", err)
	}
	wanted := false
	for _, abi := range abis {
		if abi == native {
			wanted = true
		} else if err := f.AddArch(abi); err != nil {
			return fmt.Errorf("add ABI %v: %w", abi, err)
		}
	}
	if !wanted {
		if err := f.RemoveArch(native); err != nil {
			return fmt.Errorf("remove ABI %v: %w", native, err)
		}
	}
	return nil
}

// notify has the broker answer a call; of connect and bind, i386's
// socketcall(SYS_CONNECT) and (SYS_BIND) with it.
func notify(f *seccomp.ScmpFilter, d filter.Denial) error {
	call, err := seccomp.GetSyscallFromName(d.Call)
	if err != nil {
		return err
	}
	if len(d.Args) == 0 {
		return f.AddRule(call, seccomp.ActNotify)
	}
	conds, err := conditions(d.Args)
	if err != nil {
		return err
	}
	return f.AddRuleConditional(call, seccomp.ActNotify, conds)
}

func addDenial(f *seccomp.ScmpFilter, d filter.Denial) error {
	call, err := seccomp.GetSyscallFromName(d.Call)
	if err != nil {
		return err
	}
	action := seccomp.ActErrno.SetReturnCode(int16(d.Errno))
	if len(d.Args) == 0 {
		return f.AddRule(call, action)
	}
	conds, err := conditions(d.Args)
	if err != nil {
		return err
	}
	return f.AddRuleConditional(call, action, conds)
}

func conditions(args []filter.Condition) ([]seccomp.ScmpCondition, error) {
	conds := make([]seccomp.ScmpCondition, 0, len(args))
	for _, c := range args {
		cond, err := condition(c)
		if err != nil {
			return nil, err
		}
		conds = append(conds, cond)
	}
	return conds, nil
}

func condition(c filter.Condition) (seccomp.ScmpCondition, error) {
	switch c.Compare {
	case filter.AtLeast:
		return seccomp.MakeCondition(c.Arg, seccomp.CompareGreaterEqual, c.Value)
	case filter.Masked:
		return seccomp.MakeCondition(c.Arg, seccomp.CompareMaskedEqual, c.Mask, c.Value)
	}
	return seccomp.MakeCondition(c.Arg, seccomp.CompareEqual, c.Value)
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
	program := make([]byte, st.Size())
	_, err = file.ReadAt(program, 0)
	return program, err
}
