//go:build linux

package filter

import (
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// ownerCalls are the calls that give a file away, by ABI and number, with the argument
// that the user is in; the group is in the next. The 16-bit ones of i386 and ARM are
// left to the kernel, which no program of this century's libraries uses.
var ownerCalls = map[string]map[uint32]map[uint32]int{
	"amd64": {
		unix.AUDIT_ARCH_X86_64: {92: 1, 93: 1, 94: 1, 260: 2},    // chown, fchown, lchown, fchownat
		unix.AUDIT_ARCH_I386:   {212: 1, 207: 1, 198: 1, 298: 2}, // chown32, fchown32, lchown32, fchownat
	},
	"arm64": {
		unix.AUDIT_ARCH_AARCH64: {55: 1, 54: 2},                   // fchown, fchownat
		unix.AUDIT_ARCH_ARM:     {212: 1, 207: 1, 198: 1, 325: 2}, // as i386
	},
}

// Offsets in struct seccomp_data, of little-endian processors (seccomp(2)).
const (
	callAt = 0
	abiAt  = 4
	argsAt = 16
)

// Owners returns a program by which to give a file to another user or group fails with
// EPERM, as it does outside. The sandbox knows one of each, and for all others the
// kernel has EINVAL, which fakeroot(1) and its like take for a failure of their own.
// For a processor that srun has no filter for it is empty.
func Owners(goarch string, uid, gid int) []byte {
	abis := ownerCalls[goarch]
	if abis == nil {
		return nil
	}
	var p []instruction
	for _, abi := range []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM} {
		if abis[abi] == nil {
			continue
		}
		calls := ownersOf(abis[abi], uint32(uid), uint32(gid))
		p = append(p, load(abiAt), jump(abi, 0, uint8(len(calls))))
		p = append(p, calls...)
	}
	return encoded(append(p, instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}))
}

// ownersOf is the part for one ABI; it ends with an answer.
func ownersOf(calls map[uint32]int, uid, gid uint32) []instruction {
	allow := instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	refuse := instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	p := []instruction{load(callAt)}
	for _, user := range []int{1, 2} {
		check := []instruction{ // each id is one's own, or -1 for no change
			load(argsAt + 8*uint32(user)), jump(^uint32(0), 2, 0), jump(uid, 1, 0), refuse,
			load(argsAt + 8*uint32(user+1)), jump(^uint32(0), 2, 0), jump(gid, 1, 0), refuse, allow,
		}
		for _, nr := range slices.Sorted(maps.Keys(calls)) {
			if calls[nr] == user {
				p = append(p, jump(nr, 0, uint8(len(check))))
				p = append(p, check...)
			}
		}
	}
	return append(p, allow)
}

func load(at uint32) instruction {
	return instruction{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

// jump goes on after so many instructions where the loaded word is k, and where not.
func jump(k uint32, is, isNot uint8) instruction {
	return instruction{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: is, Jf: isNot, K: k}
}
