//go:build linux

package filter

import "golang.org/x/sys/unix"

// ownerCalls are the calls that give a file away, by ABI and number, with the argument
// that the user is in; the group is in the next. The 16-bit ones of i386 and ARM are
// left to the kernel, which no program of this century's libraries uses.
var ownerCalls = [...]struct {
	goarch   string
	abi, nr  uint32
	argument int
}{
	{"amd64", unix.AUDIT_ARCH_X86_64, 92, 1}, {"amd64", unix.AUDIT_ARCH_X86_64, 93, 1}, {"amd64", unix.AUDIT_ARCH_X86_64, 94, 1}, // chown, fchown, lchown
	{"amd64", unix.AUDIT_ARCH_X86_64, 260, 2},                                                                                 // fchownat
	{"amd64", unix.AUDIT_ARCH_I386, 212, 1}, {"amd64", unix.AUDIT_ARCH_I386, 207, 1}, {"amd64", unix.AUDIT_ARCH_I386, 198, 1}, // chown32, fchown32, lchown32
	{"amd64", unix.AUDIT_ARCH_I386, 298, 2},

	{"arm64", unix.AUDIT_ARCH_AARCH64, 55, 1}, {"arm64", unix.AUDIT_ARCH_AARCH64, 54, 2},
	{"arm64", unix.AUDIT_ARCH_ARM, 212, 1}, {"arm64", unix.AUDIT_ARCH_ARM, 207, 1}, {"arm64", unix.AUDIT_ARCH_ARM, 198, 1}, // as i386
	{"arm64", unix.AUDIT_ARCH_ARM, 325, 2},
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
	var p []instruction
	for _, abi := range []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM} {
		if calls := ownersOf(goarch, abi, uint32(uid), uint32(gid)); calls != nil {
			p = append(p, load(abiAt), jump(abi, 0, uint8(len(calls))))
			p = append(p, calls...)
		}
	}
	if p == nil {
		return nil
	}
	return encoded(append(p, instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}))
}

// ownersOf is the part for one ABI, nil for none of the processor's; it ends with an
// answer.
func ownersOf(goarch string, abi, uid, gid uint32) (p []instruction) {
	allow := instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	refuse := instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	for _, call := range ownerCalls {
		if call.goarch != goarch || call.abi != abi {
			continue
		}
		if p == nil {
			p = append(p, load(callAt))
		}
		user := argsAt + 8*uint32(call.argument)
		check := []instruction{ // each id is one's own, or -1 for no change
			load(user), jump(^uint32(0), 2, 0), jump(uid, 1, 0), refuse,
			load(user + 8), jump(^uint32(0), 2, 0), jump(gid, 1, 0), refuse, allow,
		}
		p = append(p, jump(call.nr, 0, uint8(len(check))))
		p = append(p, check...)
	}
	if p != nil {
		p = append(p, allow)
	}
	return p
}

func load(at uint32) instruction {
	return instruction{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

// jump goes on after so many instructions where the loaded word is k, and where not.
func jump(k uint32, is, isNot uint8) instruction {
	return instruction{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: is, Jf: isNot, K: k}
}
