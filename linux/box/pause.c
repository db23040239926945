//go:build linux

/* While srun asks its user, nothing inside runs: a command could paint over the
 * question, or take the keys that answer it. */
#define _GNU_SOURCE
#include "steps.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ascending(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
	return (x > y) - (x < y);
}

/* everybody lists the sandbox's processes, init not, parents as a rule before
 * their children; the caller frees the list. */
static pid_t *everybody(size_t *n)
{
	size_t room = 0;
	pid_t *pids = NULL;
	DIR *d = opendir("/proc");
	struct dirent *e;
	*n = 0;
	while (d && (e = readdir(d))) {
		pid_t pid = atoi(e->d_name);
		if (pid <= 1)
			continue;
		if (*n == room) {
			pid_t *more = realloc(pids, (room = room ? 2 * room : 64) * sizeof *pids);
			if (!more)
				break;
			pids = more;
		}
		pids[(*n)++] = pid;
	}
	if (d)
		closedir(d);
	if (*n)
		qsort(pids, *n, sizeof *pids, ascending);
	return pids;
}

/* has_stopped reads the state in /proc/PID/stat, behind the name's last
 * parenthesis (proc(5)). A process that is gone has. */
static int has_stopped(pid_t pid)
{
	char path[32], stat[512];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
	close(fd);
	if (n <= 0)
		return 1;
	stat[n] = 0;
	const char *state = strrchr(stat, ')');
	return !state || (state[2] != 'R' && state[2] != 'S' && state[2] != 'D');
}

/* A stop is not for good: a timer, the death of a parent, input on a descriptor can
 * each send a process SIGCONT that nobody sends. So what ran is found out: every thread
 * counts how often it was switched away from (proc_pid_status(5)), and none stops again
 * without that. */
static uint64_t switches;

#define FNV_PRIME 1099511628211ULL

static void add(uint64_t *sum, const void *data, size_t n)
{
	for (const unsigned char *p = data; n > 0; n--, p++)
		*sum = (*sum ^ *p) * FNV_PRIME;
}

/* add_thread takes a thread's number and counters into the sum, and tells whether it is
 * stopped, waits in the kernel or is gone. */
static int add_thread(const char *pid, const char *tid, uint64_t *sum)
{
	char path[64], status[4096];
	snprintf(path, sizeof path, "/proc/%s/task/%s/status", pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
	close(fd);
	if (n <= 0)
		return 1;
	status[n] = 0;
	const char *state = strstr(status, "\nState:\t"), *counters = strstr(status, "\nvoluntary_ctxt_switches:");
	if (!state || !counters)
		return 0;
	add(sum, tid, strlen(tid) + 1);
	add(sum, counters, strlen(counters));
	return state[8] != 'R' && state[8] != 'S';
}

/* add_all does so with every thread but init's. */
static int add_all(uint64_t *sum)
{
	size_t n;
	int settled = 1;
	pid_t *pids = everybody(&n);
	for (size_t i = 0; i < n; i++) {
		char pid[16], path[32];
		snprintf(pid, sizeof pid, "%d", (int)pids[i]);
		snprintf(path, sizeof path, "/proc/%s/task", pid);
		DIR *d = opendir(path);
		struct dirent *e;
		while (d && (e = readdir(d)))
			if (e->d_name[0] != '.')
				settled &= add_thread(pid, e->d_name, sum);
		if (d)
			closedir(d);
	}
	free(pids);
	return settled;
}

int still_paused(void)
{
	uint64_t now = 0;
	return add_all(&now) && now == switches;
}

#define STOP_TRIES 20
#define STOP_WAIT_US 100

/* pause_all stops parents before their children: a shell that sees its job stop
 * takes the terminal back. */
void pause_all(void)
{
	size_t n;
	pid_t *pids = everybody(&n);
	for (size_t i = 0; i < n; i++) {
		kill(pids[i], SIGSTOP);
		for (int tries = 0; tries < STOP_TRIES && !has_stopped(pids[i]); tries++)
			usleep(STOP_WAIT_US);
	}
	free(pids);
	kill(-1, SIGSTOP); /* whoever came since; all but init itself, kill(2) */
	for (int tries = 0; tries < STOP_TRIES; tries++) {
		switches = 0;
		if (add_all(&switches))
			break;
		usleep(10 * STOP_WAIT_US);
	}
}

/* resume_all continues children before their parents, for the same reason. */
void resume_all(void)
{
	size_t n;
	pid_t *pids = everybody(&n);
	while (n > 0)
		kill(pids[--n], SIGCONT);
	free(pids);
	kill(-1, SIGCONT);
}
