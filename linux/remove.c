//go:build linux

#define _GNU_SOURCE
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names that things get on their way out. */
static void unique(char *name, size_t size)
{
	static unsigned int n;
	snprintf(name, size, ".srun-removed-%d-%u", (int)getpid(), n++);
}

int open_up(int dir, const char *name)
{
	char path[40];
	struct stat st;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && strcmp(name, ".") == 0) /* "." needs the very right that is missing */
		fd = dup(dir);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* chmod(2) takes no O_PATH descriptor */
	int r = fstat(fd, &st) < 0 ? -1 : chmod(path, (st.st_mode & 07777) | 0700);
	close(fd);
	return r;
}

static int unlink_any(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX says for a directory */
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

/* open_to_empty does not pass a mount point: what the host mounts during the run
 * is not mounted inside, and there its directory can be moved anywhere. */
static int open_to_empty(int dir, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof how);
	struct stat st;
	if (fd < 0 && (errno != EACCES || open_up(dir, name) < 0 || (fd = syscall(SYS_openat2, dir, name, &how, sizeof how)) < 0))
		return -1;
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, (st.st_mode & 07777) | 0700);
	return fd;
}

/* each calls act for every entry of a directory; the last failure counts. */
static int each(int fd, int (*act)(int from, const char *name, int top), int top)
{
	int copy = dup(fd), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		close(copy);
		return -1;
	}
	rewinddir(d);
	struct dirent *e;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && act(fd, e->d_name, top) < 0)
			r = -1;
	int saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

/* hoist removes an entry of a directory below the top one, or moves it up to
 * the top: no tree is too deep then. */
static int hoist(int from, const char *name, int top)
{
	char up[64];
	if (unlink_any(from, name) == 0 || errno == ENOENT)
		return 0;
	unique(up, sizeof up);
	if (renameat(from, name, top, up) == 0)
		return 0;
	if (errno != EACCES || open_up(from, name) < 0) /* a directory that moves is written to: ".." */
		return -1;
	return renameat(from, name, top, up);
}

static int empty_out(int top, const char *name, int unused)
{
	(void)unused;
	if (unlink_any(top, name) == 0 || errno == ENOENT)
		return 0;
	int fd = open_to_empty(top, name);
	if (fd < 0)
		return -1;
	int r = each(fd, hoist, top);
	close(fd);
	return r < 0 ? -1 : unlinkat(top, name, AT_REMOVEDIR);
}

#define ROUNDS 100000 /* each round removes a level; somebody may be adding */

int remove_all(int dir, const char *name)
{
	char aside[64];
	if (unlink_any(dir, name) == 0 || errno == ENOENT)
		return 0;
	/* The name is free at once, and the rest takes its time. */
	unique(aside, sizeof aside);
	if (renameat(dir, name, dir, aside) == 0 || (errno == EACCES && open_up(dir, name) == 0 && renameat(dir, name, dir, aside) == 0))
		name = aside;
	int fd = open_to_empty(dir, name);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	int r = -1;
	for (int i = 0; i < ROUNDS && r < 0; i++) {
		int emptied = each(fd, empty_out, fd);
		r = unlinkat(dir, name, AT_REMOVEDIR);
		if (r < 0 && errno == ENOENT)
			r = 0;
		if (r < 0 && (errno != ENOTEMPTY || (emptied < 0 && i > 100)))
			break;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return r;
}
