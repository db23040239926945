//go:build linux

/* Signals without package os/signal, whose first use starts two threads, and
 * each signal more passes between them twice: a millisecond of every run. */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int write_end = -1;

int srun_signal_pipe(void)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	write_end = ends[1];
	return ends[0];
}

static void on_signal(int sig)
{
	int e = errno;
	unsigned char b = (unsigned char)sig;
	if (write(write_end, &b, 1) < 0) {
		/* The pipe is full of signals that nobody read yet. */
	}
	errno = e;
}

/* A handler in a Go program has to run on the signal stack (os/signal, "Go
 * programs that use cgo"). */
int srun_catch(int sig)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigfillset(&act.sa_mask);
	return sigaction(sig, &act, NULL) < 0 ? errno : 0;
}
