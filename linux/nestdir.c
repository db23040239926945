//go:build linux

/* The directories below the writable ones: what they are called, where they are
 * and which of them are watched. */
#define _GNU_SOURCE
#include "nest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_NESTS 500000 /* 50 MB of them */
#define MAX_WATCHED 64  /* closing a watched descriptor takes 7 us, at the end of every run */

struct nest *nests;
int nnests;

static int *by_fd, nby_fd, watched;

/* keep_name copies a name to where it stays. */
static const char *keep_name(const char *name)
{
	static char *chunk;
	static size_t left;
	size_t len = strlen(name) + 1;
	if (len > left) {
		left = 1 << 16;
		if (!(chunk = malloc(left)))
			return NULL;
	}
	char *copy = memcpy(chunk, name, len);
	chunk += len;
	left -= len;
	return copy;
}

int nest_new(const char *name)
{
	static int room;
	if (nnests == MAX_NESTS)
		return -1;
	if (nnests == room) {
		int more = room ? 2 * room : 64;
		struct nest *grown = realloc(nests, more * sizeof *nests);
		if (!grown)
			return -1;
		nests = grown;
		room = more;
	}
	const char *copy = keep_name(name);
	if (!copy)
		return -1;
	nests[nnests] = (struct nest){ .parent = -1, .child = -1, .sibling = -1, .fd = -1, .name = copy };
	return nnests++;
}

int nest_child(int i, const char *name, int kind)
{
	int c = nest_new(name);
	if (c < 0)
		return -1;
	nests[c].parent = i;
	nests[c].kind = kind;
	nests[c].sibling = nests[i].child;
	nests[i].child = c;
	return c;
}

/* relative writes the path of a directory from its writable one, with a slash
 * at its end; the length, or -1. */
static int relative(int i, char *path, size_t size)
{
	if (nests[i].parent < 0)
		return 0;
	int at = relative(nests[i].parent, path, size);
	if (at < 0)
		return -1;
	int n = snprintf(path + at, size - at, "%s/", nests[i].name);
	return at + n < (int)size ? at + n : -1;
}

int nest_path(int i, const char *name, char *path, size_t size)
{
	int root = i;
	while (nests[root].parent >= 0)
		root = nests[root].parent;
	int at = snprintf(path, size, "%s/", nests[root].name);
	int n = at < (int)size ? relative(i, path + at, size - at) : -1;
	if (n < 0)
		return -1;
	at += n;
	return at + snprintf(path + at, size - at, "%s", name) < (int)size ? 0 : -1;
}

/* nest_open returns a descriptor of a directory, its own or one to close. */
int nest_open(int i)
{
	char path[4096];
	int root = i;
	if (nests[i].fd >= 0)
		return nests[i].fd;
	while (nests[root].parent >= 0)
		root = nests[root].parent;
	if (relative(i, path, sizeof path) < 0)
		return -1;
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };
	return syscall(SYS_openat2, nests[root].fd, path, &how, sizeof how);
}

int nest_watched_all(void) { return watched == MAX_WATCHED; }

/* nest_from writes the path of a directory from one that is open, with a slash
 * and its length, and returns that one's descriptor. */
int nest_from(int i, char *path, size_t size, size_t *len)
{
	int parent = nests[i].parent;
	if (parent < 0)
		return -1;
	if (nests[parent].fd >= 0) {
		*len = (size_t)snprintf(path, size, "%s/", nests[i].name);
		return nests[parent].fd;
	}
	int n = relative(i, path, size);
	while (nests[parent].parent >= 0)
		parent = nests[parent].parent;
	*len = (size_t)n;
	return n < 0 ? -1 : nests[parent].fd;
}

/* nest_stat is fstat(2) of a directory that need not be open. */
int nest_stat(int i, struct stat *st)
{
	char path[4096];
	int root = i;
	if (nests[i].fd >= 0)
		return fstat(nests[i].fd, st);
	while (nests[root].parent >= 0)
		root = nests[root].parent;
	return relative(i, path, sizeof path) < 0 ? -1 : fstatat(nests[root].fd, path, st, 0);
}

void nest_unwatch(int i)
{
	if (nests[i].fd < 0 || nests[i].parent < 0)
		return;
	by_fd[nests[i].fd] = -1;
	close(nests[i].fd);
	nests[i].fd = -1;
	watched--;
}

void nest_close(int i, int fd)
{
	if (fd >= 0 && nests[i].fd != fd)
		close(fd);
}

int nest_by_fd(int fd) { return fd < nby_fd ? by_fd[fd] : -1; }

void nest_watch(int i, int fd)
{
	if (fd >= nby_fd) {
		int n = fd + 64;
		int *grown = realloc(by_fd, n * sizeof *by_fd);
		if (!grown)
			return;
		for (by_fd = grown; nby_fd < n; nby_fd++)
			by_fd[nby_fd] = -1;
	}
	if (watched == MAX_WATCHED || fcntl(fd, F_SETSIG, GUARD_SIGNAL) < 0 ||
	    fcntl(fd, F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT) < 0)
		return;
	watched++;
	by_fd[fd] = i;
	nests[i].fd = fd;
}
