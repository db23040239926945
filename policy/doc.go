// Package policy holds what a sandboxed command may do: the settings files and
// flags it is read from, how they merge, and how a host name or a path is
// judged by the result. It is the only language between srun's rooms.
//
// The package is pure: it reads settings files and the trust record and writes
// the two files that the user's own answers go to, and it opens no socket and
// restricts no process.
//
// # Limitations
//
// Public suffixes are those of the list compiled into golang.org/x/net; a
// suffix registered since is not known.
package policy
