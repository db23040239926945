package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	pathOnly   = 0
	goos       = "darwin"
	managedDir = "/Library/Application Support/srun"
)

func openWorkDir() (*os.File, error) { return os.Open(".") }

// runsFile is for the file broker, which Linux alone has.
func runsFile() string { return "" }

// dieOf ends srun by a signal. It returns where that signal ends nothing.
func dieOf(sig syscall.Signal) {
	signal.Reset(sig)
	if syscall.Kill(os.Getpid(), sig) == nil {
		time.Sleep(time.Second) // it may come to another thread
	}
}
