// Package linux is srun's backend for Linux: it turns a policy into a plan and
// applies it with namespaces, mounts, Landlock and seccomp.
//
// Planning is apart from applying. Package plan makes the list of mounts, Landlock
// rules and everything else that a run needs, and reads no more of the host than
// what its Host tells; [ThisHost] is the real one. [Start] hands exactly that plan
// to package box, which makes the sandbox and starts the command in it, to package
// broker, which deals with the calls that the command's filter stops, and to
// package trace, if the command is to be watched. None of these knows another.
//
// # Limitations
//
// Landlock needs Linux 5.13, the mounts need 5.12. Signals that a command
// sends to its own process group stay inside from Landlock ABI 6 on (Linux
// 6.12); older kernels refuse kill(0) instead.
package linux
