package main

import "os"

const (
	goos       = "darwin"
	managedDir = "/Library/Application Support/srun"
)

func openWorkDir() (*os.File, error) { return os.Open(".") }
