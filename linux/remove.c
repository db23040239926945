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

static int reopen(int dir, int flags)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
	return open(path, flags | O_DIRECTORY | O_CLOEXEC);
}

static int again(int dir) { return reopen(dir, O_PATH); }

int open_again(int dir)
{
	int fd = reopen(dir, O_RDONLY);
	return fd < 0 ? again(dir) : fd;
}

int open_up(int dir, const char *name)
{
	char path[40];
	struct stat st;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && strcmp(name, ".") == 0) /* "." needs the very right that is missing */
		fd = again(dir);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* chmod(2) takes no O_PATH descriptor */
	int r = fstat(fd, &st) < 0 ? -1 : chmod(path, (st.st_mode & 07777) | 0700);
	close(fd);
	return r;
}

/* unlink_any leaves what is held, which a command can move with the directory
 * that it lies in but not remove: EBUSY, as for the command. */
static int unlink_any(int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && held_is(st.st_dev, st.st_ino)) {
		errno = EBUSY;
		return -1;
	}
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

/* Removing much takes its time, and a command can see to it that it never ends:
 * what else appears meanwhile is moved into the directory that is emptied. */
#define BREATH 64 /* entries */
#define DEEPEST 2 /* file systems: nothing moves from one to another */
static int emptied = -1, depth;

static void breathe(void)
{
	static unsigned int n;
	if (depth < DEEPEST && ++n % BREATH == 0)
		guard_breathe();
}

static int move(int from, const char *name, int to)
{
	char moved[64];
	unique(moved, sizeof moved);
	if (renameat(from, name, to, moved) == 0)
		return 0;
	if (errno != EACCES || open_up(from, name) < 0) /* a directory that moves is written to: ".." */
		return -1;
	return renameat(from, name, to, moved);
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
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && act(fd, e->d_name, top) < 0)
			r = -1;
		breathe();
	}
	int saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

/* hoist removes an entry of a directory below the top one, or moves it up to
 * the top: no tree is too deep then. */
static int hoist(int from, const char *name, int top)
{
	if (unlink_any(from, name) == 0 || errno == ENOENT)
		return 0;
	return errno == EBUSY ? -1 : move(from, name, top);
}

static int empty_out(int top, const char *name, int unused)
{
	(void)unused;
	if (unlink_any(top, name) == 0 || errno == ENOENT)
		return 0;
	int fd = errno == EBUSY ? -1 : open_to_empty(top, name);
	if (fd < 0)
		return -1;
	int r = each(fd, hoist, top);
	close(fd);
	return r < 0 ? -1 : unlinkat(top, name, AT_REMOVEDIR);
}

#define ROUNDS 100000 /* each round removes a level; somebody may be adding */

/* remove_tree has a directory of its own: a look in between may close others. */
static int remove_tree(int dir, const char *name)
{
	int fd = open_to_empty(dir, name);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	int r = -1, outer = emptied;
	emptied = fd;
	depth++;
	for (int i = 0; i < ROUNDS && r < 0; i++) {
		int all = each(fd, empty_out, fd);
		r = unlinkat(dir, name, AT_REMOVEDIR);
		if (r < 0 && errno == ENOENT)
			r = 0;
		if (r < 0 && (errno != ENOTEMPTY || (all < 0 && i > 100)))
			break;
	}
	depth--;
	emptied = outer;
	int saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int remove_all(int dir, const char *name)
{
	char aside[64];
	if (unlink_any(dir, name) == 0 || errno == ENOENT)
		return 0;
	if (errno == EBUSY)
		return -1;
	if (emptied >= 0 && move(dir, name, emptied) == 0)
		return 0;
	/* The name is free at once, and the rest takes its time. */
	unique(aside, sizeof aside);
	if (renameat(dir, name, dir, aside) == 0 || (errno == EACCES && open_up(dir, name) == 0 && renameat(dir, name, dir, aside) == 0))
		name = aside;
	int own = again(dir);
	int r = own < 0 ? -1 : remove_tree(own, name);
	int saved = errno;
	close(own);
	errno = saved;
	return r;
}
