//go:build linux

package filter

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:generate go run ./generate

// instruction is one of classic BPF's, laid out as struct sock_filter: operation,
// jumps if true and if false, operand.
type instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// NewestCall is the highest system call number that commands get
// (removexattrat, Linux 6.13). What came later is ENOSYS, open_tree_attr with
// it; numbers from 424 on are the same on every ABI.
const NewestCall = 466

// ARM's private calls (cacheflush, set_tls) lie far above all others.
const firstARMCall, lastARMCall = 0x0f0000, 0x0f00ff

// ceiling is a second program: a system call newer than the table gets ENOSYS,
// as on a kernel without it. libseccomp has no rule for a range of numbers.
var ceiling = [...]instruction{
	{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // nr of struct seccomp_data, seccomp(2)
	{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, Jf: 3, K: NewestCall},
	{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jf: 1, K: firstARMCall},
	{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, Jf: 1, K: lastARMCall},
	{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
	{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
}

// Programs returns the programs for a processor (a GOARCH), in the kernel's
// encoding. The first notifies of connect(2) and has to be loaded with a
// listener. What scopedSignals means is with [Table].
func Programs(goarch string, scopedSignals bool) ([][]byte, error) {
	var calls []instruction
	switch {
	case goarch == "amd64" && scopedSignals:
		calls = amd64Scoped[:]
	case goarch == "amd64":
		calls = amd64Unscoped[:]
	case goarch == "arm64" && scopedSignals:
		calls = arm64Scoped[:]
	case goarch == "arm64":
		calls = arm64Unscoped[:]
	default:
		return nil, fmt.Errorf("no system call filter for %s", goarch)
	}
	return [][]byte{encoded(calls), encoded(ceiling[:])}, nil
}

func encoded(program []instruction) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&program[0])), len(program)*int(unsafe.Sizeof(program[0])))
}
