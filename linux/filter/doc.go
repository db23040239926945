// Package filter has the system calls that a command does not get: the table of
// denials, and the seccomp programs that enforce it.
//
// The programs are written by libseccomp when the table changes
// (go generate ./linux/filter) and not at every start of srun, where that took
// most of a millisecond. A test has libseccomp compile the table anew and runs
// both side by side.
package filter
