// Package linux is srun's backend for Linux: it turns a policy into a plan and
// applies it with namespaces, mounts, Landlock and seccomp.
//
// Planning is apart from applying. [NewPlan] reads no more of the host than
// what its [Host] tells, and yields the list of mounts, Landlock rules and
// system call filters; [Start] hands exactly that plan to init, the first
// process of the sandbox (init.c and its neighbours), which applies it and
// starts the command. protocol.go draws what the two say to each other.
//
// # Limitations
//
// Landlock needs Linux 5.13, the mounts need 5.12. Signals that a command
// sends to its own process group stay inside from Landlock ABI 6 on (Linux
// 6.12); older kernels refuse kill(0) instead.
package linux
