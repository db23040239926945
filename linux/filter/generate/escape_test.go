//go:build linux

package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The calls of an ABI that the filter does not know are not there, whatever their
// numbers mean in it: no test machine need run such programs.
func TestEscapeOtherABI(t *testing.T) {
	m := newMachine(t, true)
	if got := m.run(t, auditX8664, unix.SYS_GETPID); got != 0 {
		t.Fatalf("getpid: errno %d", got)
	}
	for _, audit := range []uint32{auditARM, auditARM64, 0x40000008} { // and MIPS
		for _, nr := range []int{unix.SYS_GETPID, 0, 2, 165} {
			if got := m.run(t, audit, nr); got != unix.ENOSYS {
				t.Errorf("call %d of architecture %#x: errno %d, want ENOSYS", nr, audit, got)
			}
		}
	}
	for _, nr := range []int{2, 165} { // open and mount of x32
		if got := m.run(t, auditX8664, x32Bit|nr); got != unix.ENOSYS {
			t.Errorf("call %d of x32: errno %d, want ENOSYS", nr, got)
		}
	}
}
