//go:build linux

// Command helper is what the test scripts run inside and outside the sandbox.
// Its name says what it does: probe acts as a small program with no idea of
// proxies, pty runs a command on a terminal of its own.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	status, err := 0, error(nil)
	switch name {
	case "probe":
		err = probe(args)
	case "pty":
		status, err = pty(args)
	default:
		err = fmt.Errorf("unknown name")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		status = max(status, 1)
	}
	os.Exit(status)
}
