//go:build linux

// Command shell runs a command, or an interactive shell, on the test hosts as
// the ordinary user, with srun in PATH: for demonstrations, and for looking at
// a failing test. SRUN_TEST_AS=root runs it as root.
//
//	go run ./cmd/srun/internal/testhost/shell [command [argument ...]]
package main

import (
	"os"

	"srun/cmd/srun/internal/testhost"
)

func main() { os.Exit(testhost.Shell()) }
