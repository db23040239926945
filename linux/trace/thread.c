//go:build linux

/* The tracer's thread. ptrace(2) ties a tracee to one thread, and that thread
 * waits for any of them: it must have no child of another kind, which none of
 * Go's own threads can promise. */
#define _GNU_SOURCE
#include "thread.h"
#include "_cgo_export.h"

#include <pthread.h>
#include <signal.h>

static void *trace(void *handle)
{
	srunTrace((uintptr_t)handle);
	return NULL;
}

int srun_trace_start(uintptr_t handle)
{
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int r = pthread_create(&thread, NULL, trace, (void *)handle);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_detach(thread);
	return r;
}
