/* The first process of the sandbox, and the keeper beside it.
 *
 * Init is C, not Go, for three reasons: the command's restrictions must be put
 * on one thread and exec'd from it; a constructor can fork init before the Go
 * runtime starts, so that the kernel makes the namespaces while Go starts; and
 * PID 1 of the sandbox then holds no Go heap with the policy and its secrets. */
#pragma once

enum { DIE_WITH_THREAD = 1, HOST_NETWORK = 2 };
void init_main(int sock, int how) __attribute__((noreturn));

/* remember_inherited notes which descriptors are the caller's. */
void remember_inherited(void);

void keeper_main(int sock) __attribute__((noreturn));
