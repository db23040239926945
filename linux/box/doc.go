// Package box makes the sandbox that a plan describes, starts the command in it,
// and ends both: namespaces, mounts, Landlock, the system call filter, the
// listeners that srun accepts on, signals and standard descriptors.
//
// What must be done before the Go runtime has threads, or by one thread that then
// becomes the command, is C: enter.c clones init beside Go's start, init.c and its
// neighbours are the first process of the sandbox, keeper.c masks again what the
// host replaces. protocol.go draws what the two halves say to each other.
//
// # Limitations
//
// It knows no policy, and judges nothing: the calls that the filter stops are its
// [Broker]'s, and what a failed call means is its [Tracer]'s.
package box
