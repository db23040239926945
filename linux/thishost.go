//go:build linux

package linux

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ThisHost asks the real machine. workDir is what the working directory must be,
// for while srun starts another program could give its name to a link; nil is any.
func ThisHost(workDir *os.File) (Host, error) {
	h := Host{LandlockABI: LandlockABI(), Files: newHostFiles()}
	h.Name, _ = os.Hostname() // without one, it is missing from /etc/hosts
	if workDir == nil {
		return h, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(workDir.Fd()), &st); err != nil {
		return h, fmt.Errorf("working directory: %w", err)
	}
	h.Dir = identity(&st)
	return h, nil
}
