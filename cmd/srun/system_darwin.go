package main

import "os"

const (
	pathOnly   = 0
	goos       = "darwin"
	managedDir = "/Library/Application Support/srun"
)

func openWorkDir() (*os.File, error) { return os.Open(".") }
