//go:build linux

package linux

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"srun/linux/box"
	"srun/linux/internal/hostfs"
	"srun/linux/plan"
)

// ThisHost asks the real machine. workDir is what the working directory must be,
// for while srun starts another program could give its name to a link; nil is any.
func ThisHost(workDir *os.File) (plan.Host, error) {
	h := plan.Host{LandlockABI: box.LandlockABI(), Files: hostfs.New(), Root: os.Getuid() == 0}
	h.Name, _ = os.Hostname() // without one, it is missing from /etc/hosts
	if workDir == nil {
		return h, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(workDir.Fd()), &st); err != nil {
		return h, fmt.Errorf("working directory: %w", err)
	}
	h.Dir = hostfs.Identity(&st)
	return h, nil
}
