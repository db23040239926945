package main

const (
	goos       = "linux"
	managedDir = "/etc/srun"
)
