package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	pathOnly   = unix.O_PATH // of a descriptor, open(2)
	goos       = "linux"
	managedDir = "/etc/srun"
)

// openWorkDir opens the directory that srun runs in, whatever its name is by
// now, and also one that may not be read.
func openWorkDir() (*os.File, error) {
	fd, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "."), nil
}

// runsFile is where runs at the same time know of each other: in memory, in a
// directory of the user's alone or under a name that has the user's number.
func runsFile() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if st, err := os.Stat(dir); err != nil || !st.IsDir() || !filepath.IsAbs(dir) {
		dir = "/dev/shm"
	}
	return filepath.Join(dir, fmt.Sprintf("srun-runs-%d", os.Getuid()))
}
