package main

import (
	"os"

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
