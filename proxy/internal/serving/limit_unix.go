//go:build unix

package serving

import "golang.org/x/sys/unix"

// sessionLimit is how many connections may be served at once: each may need
// three descriptors (its own, the server's, one more while addresses race), and
// some stay for the rest of srun. Running out of descriptors would leave
// clients waiting where a refusal tells them.
func sessionLimit() int {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil || r.Cur >= 3*maxConns+128 {
		return maxConns
	}
	return max(int(r.Cur)-128, 24) / 3
}
