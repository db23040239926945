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

static const char **denied;
static int ndenied;

int nest_deny(const char *path)
{
	const char **grown = realloc(denied, (ndenied + 1) * sizeof *denied);
	if (!grown)
		return -1;
	denied = grown;
	denied[ndenied++] = path;
	return 0;
}

int nest_denied(int i, const char *name)
{
	char path[4096];
	for (int n = 0; n < ndenied; n++)
		if (!strcmp(strrchr(denied[n], '/') + 1, name) && nest_path(i, name, path, sizeof path) == 0 && !strcmp(path, denied[n]))
			return 1;
	return 0;
}

int nest_root(int i)
{
	while (nests[i].parent >= 0)
		i = nests[i].parent;
	return i;
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
	int at = snprintf(path, size, "%s/", nests[nest_root(i)].name);
	int n = at < (int)size ? relative(i, path + at, size - at) : -1;
	if (n < 0)
		return -1;
	at += n;
	return at + snprintf(path + at, size - at, "%s", name) < (int)size ? 0 : -1;
}

/* open_from opens a directory from the writable one, by no link and in the same
 * mount: another may never answer. */
static int open_from(int i, int flags)
{
	char path[4096];
	if (relative(i, path, sizeof path) < 0)
		return -1;
	struct open_how how = { .flags = flags | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };
	return syscall(SYS_openat2, nests[nest_root(i)].fd, path, &how, sizeof how);
}

int nest_open(int i) { return nests[i].fd >= 0 ? nests[i].fd : open_from(i, O_RDONLY); }

int nest_open_path(int i) { return open_from(i, O_PATH); }

int nest_watched_all(void) { return watched == MAX_WATCHED; }

/* nest_changed tells whether a directory changed since the last look. What is
 * not open is asked for what the kernel knows (fuse and NFS might not answer). */
int nest_changed(int i)
{
	char path[4096];
	struct statx st;
	const int at = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	int r;
	if (nests[i].fd >= 0) {
		r = statx(nests[i].fd, "", AT_EMPTY_PATH, STATX_CTIME, &st);
	} else {
		int n = relative(i, path, sizeof path);
		if (n < 1)
			return 0;
		path[n - 1] = 0;
		r = statx(nests[nest_root(i)].fd, path, at, STATX_CTIME, &st);
	}
	return r == 0 && (st.stx_ctime.tv_sec != nests[i].changed.tv_sec || st.stx_ctime.tv_nsec != nests[i].changed.tv_nsec);
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

int nest_watched(int *fd)
{
	while (*fd < nby_fd) {
		int i = by_fd[(*fd)++];
		if (i >= 0)
			return i;
	}
	return -1;
}

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
	if (watched == MAX_WATCHED || fcntl(fd, F_SETSIG, NEST_SIGNAL) < 0 ||
	    fcntl(fd, F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT) < 0)
		return;
	watched++;
	by_fd[fd] = i;
	nests[i].fd = fd;
}
