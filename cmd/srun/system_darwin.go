package main

import "os"

const (
	pathOnly   = 0
	goos       = "darwin"
	managedDir = "/Library/Application Support/srun"
)

func openWorkDir() (*os.File, error) { return os.Open(".") }

// runsFile is for the file broker, which Linux alone has.
func runsFile() string { return "" }
