//go:build unix

package relay

import "golang.org/x/sys/unix"

// ignoringEINTR calls f until no signal interrupts it.
func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}
