//go:build linux

/* Limits under which the Go runtime would end with a dump of its own are told in
 * a line before it starts. */
#define _GNU_SOURCE
#include "enter.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a start needs: addresses for the runtime's tables and for the stacks of
 * its threads, in bytes; descriptors; threads. */
#define ADDRESSES (2ULL << 30)
#define DESCRIPTORS 32
#define THREADS 8

/* Below this many processes a user's others may have used them up. */
#define FEW_PROCESSES 1024

static pthread_barrier_t all_there;

static void *wait_for_all(void *unused)
{
	pthread_barrier_wait(&all_there);
	return unused;
}

/* can_thread tells whether so many threads can be there at a time. One that
 * starts without the others ends with the process. */
static int can_thread(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&all_there, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, wait_for_all, NULL) != 0)
			return 0;
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 1;
}

static void refuse(const char *what, unsigned long long has, unsigned long long needs)
{
	dprintf(2, "srun: the limit on %s is %llu, and srun needs %llu\n", what, has, needs);
	_exit(125);
}

void check_limits(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_AS, &l) == 0 && l.rlim_cur < ADDRESSES)
		refuse("address space (ulimit -v, in KiB)", l.rlim_cur >> 10, ADDRESSES >> 10);
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < DESCRIPTORS)
		refuse("open files (ulimit -n)", l.rlim_cur, DESCRIPTORS);
	if (getrlimit(RLIMIT_NPROC, &l) == 0 && l.rlim_cur < FEW_PROCESSES && !can_thread())
		refuse("processes (ulimit -u), with those that run already,", l.rlim_cur, THREADS + 4);
}
