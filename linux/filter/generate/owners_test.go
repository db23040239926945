//go:build linux

package main

import (
	"testing"

	"golang.org/x/sys/unix"

	"srun/linux/filter"
)

func TestOwners(t *testing.T) {
	const uid, gid, unchanged = 1000, 100, 1<<32 - 1
	m := load(t, filter.Owners("amd64", uid, gid))
	for _, call := range []struct {
		arch   uint32
		nr, at int
	}{
		{auditX8664, unix.SYS_CHOWN, 1}, {auditX8664, unix.SYS_FCHOWN, 1}, {auditX8664, unix.SYS_LCHOWN, 1}, {auditX8664, unix.SYS_FCHOWNAT, 2},
		{auditI386, 212, 1}, {auditI386, 207, 1}, {auditI386, 198, 1}, {auditI386, 298, 2},
	} {
		for _, ids := range []struct {
			uid, gid uint64
			want     unix.Errno
		}{
			{uid, gid, 0}, {unchanged, unchanged, 0}, {unchanged, gid, 0}, {uid, unchanged, 0}, {1<<64 - 1, gid, 0},
			{0, 0, unix.EPERM}, {uid, 0, unix.EPERM}, {0, gid, unix.EPERM}, {0, unchanged, unix.EPERM}, {gid, uid, unix.EPERM},
		} {
			args := append(make([]uint64, call.at), ids.uid, ids.gid)
			if got := m.run(t, call.arch, call.nr, args...); got != ids.want {
				t.Errorf("call %d of %#x with %d and %d: errno %d, want %d", call.nr, call.arch, ids.uid, ids.gid, got, ids.want)
			}
		}
	}
	for _, arch := range []uint32{auditX8664, auditI386, auditARM64} {
		for nr := range 500 {
			if got := m.run(t, arch, nr, unchanged, unchanged, unchanged, unchanged); got != 0 {
				t.Errorf("call %d of %#x: errno %d", nr, arch, got)
			}
		}
	}
	arm := load(t, filter.Owners("arm64", uid, gid))
	for nr, args := range map[int][]uint64{55: {3, 0, gid}, 54: {3, 0, uid, 0}} {
		if got := arm.run(t, auditARM64, nr, args...); got != unix.EPERM {
			t.Errorf("call %d of arm64: errno %d", nr, got)
		}
	}
}
