package main

import "syscall"

// ownGroup starts a child in a process group of its own, which ends with us.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
