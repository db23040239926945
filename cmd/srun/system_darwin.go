package main

const (
	goos       = "darwin"
	managedDir = "/Library/Application Support/srun"
)
