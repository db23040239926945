//go:build linux

/* To copy a mount at some place, the kernel looks at every mount on top of it
 * (has_locked_children in fs/namespace.c): to bind thousands of files read-only one after
 * another would take the square of the time. So they are copied from a copy of
 * the whole mount, which has nothing on it. Copies of what is attached nowhere
 * are allowed since Linux 6.15. */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif
#define FEW 16 /* files, for which it is not worth it */

static uint64_t mount_id;
static int whole = -1; /* the copy of that mount */
static size_t root;    /* so much of a path leads to it */

static uint64_t mount_of(int fd)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
		return 0;
	return st.stx_mnt_id;
}

/* copy_whole copies the mount that a path is on, from its root on. */
static int copy_whole(uint64_t id, const char *path)
{
	char dir[4096];
	int fd = -1, up;
	size_t n = strlen(path);
	if (n >= sizeof dir)
		return -1;
	memcpy(dir, path, n + 1);
	for (char *slash; (slash = strrchr(dir, '/')); fd = up) {
		slash[slash == dir] = 0;
		up = open_exact(dir);
		if (up < 0 || mount_of(up) != id) {
			close(up);
			break;
		}
		root = strlen(dir);
		close(fd);
		if (slash == dir) {
			fd = up;
			break;
		}
	}
	if (fd < 0)
		return -1;
	whole = syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	close(fd);
	mount_id = id;
	return whole;
}

int copy_from_whole(int at, const char *path)
{
	static int files;
	struct stat want, have;
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };
	uint64_t id = ++files <= FEW ? 0 : mount_of(at);
	if (!id)
		return -1;
	if (id != mount_id) {
		close(whole);
		whole = -1;
		mount_id = 0;
		if (copy_whole(id, path) < 0)
			return -1;
	}
	int fd = syscall(SYS_openat2, whole, path + root + (root > 1), &how, sizeof how);
	int tree = -1;
	if (fd >= 0 && fstat(fd, &have) == 0 && fstat(at, &want) == 0 && have.st_ino == want.st_ino && have.st_dev == want.st_dev)
		tree = syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	close(fd);
	return tree;
}
