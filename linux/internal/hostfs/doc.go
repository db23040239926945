// Package hostfs is this machine's file system as planning looks at it: many
// questions, few system calls.
package hostfs
