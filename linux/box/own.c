//go:build linux

/* Directories of the command's own in the place of the host's: empty ones in
 * memory, and layers over caches. */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_string(int fs, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* make_detached makes the file system and closes its description; r is how
 * setting its options went. */
static int make_detached(int fs, int r)
{
	if (r == 0)
		r = syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r == 0)
		r = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int e = errno;
	close(fs);
	errno = e;
	return r;
}

static int detached_tmpfs(const char *mode)
{
	int fs = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	return fs < 0 ? -1 : make_detached(fs, set_string(fs, "mode", mode) || set_string(fs, "source", "tmpfs"));
}

int put_tmpfs(const char *path)
{
	int tree = detached_tmpfs("1777");
	if (tree < 0)
		return -1;
	int r = attach(tree, path);
	close(tree);
	return r;
}

/* set_dir names a directory by a descriptor: a path could hold what options
 * take for their own characters. */
static int set_dir(int fs, const char *key, int fd)
{
	char name[32];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return set_string(fs, key, name);
}

static int detached_overlay(const int dirs[3])
{
	static const char *const keys[] = { "lowerdir", "upperdir", "workdir" };
	int fs = syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	/* An ordinary user has no trusted.* attributes (kernel, overlayfs.rst). */
	int r = syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	for (int i = 0; i < 3 && r == 0; i++)
		r = set_dir(fs, keys[i], dirs[i]);
	return make_detached(fs, r);
}

/* in_memory opens two directories of a file system in memory for a layer that its
 * own file system does not take. */
static int in_memory(int dirs[3])
{
	int tree = detached_tmpfs("0700");
	if (tree < 0)
		return -1;
	int r = mkdirat(tree, "upper", 0700) < 0 || mkdirat(tree, "work", 0700) < 0 ? -1 : 0;
	dirs[1] = r < 0 ? -1 : openat(tree, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	dirs[2] = r < 0 ? -1 : openat(tree, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(tree);
	return dirs[1] < 0 || dirs[2] < 0 ? -1 : 0;
}

/* readonly_copy is the host's directory as it is. */
static int readonly_copy(int fd)
{
	int tree = clone_tree(fd);
	if (tree >= 0 && set_flags(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0) < 0) {
		close(tree);
		return -1;
	}
	return tree;
}

static void close_dirs(int *dirs, int n)
{
	for (int i = 0; i < n; i++)
		if (dirs[i] >= 0)
			close(dirs[i]);
}

/* layer_over opens the three directories of a layer, whose paths stand one after
 * another, and returns a detached mount of it: with what is written in memory where
 * its file system takes no layer, and read-only where the host's does not. */
int layer_over(const char *path, size_t len)
{
	int dirs[3] = { -1, -1, -1 }, ok = 1;
	const char *at = path;
	for (int i = 0; i < 3 && at < path + len; i++) {
		dirs[i] = open_exact(at);
		ok &= dirs[i] >= 0;
		at += strlen(at) + 1;
	}
	int tree = ok ? detached_overlay(dirs) : -1;
	if (tree < 0 && dirs[0] >= 0) {
		close_dirs(dirs + 1, 2);
		if (in_memory(dirs) == 0)
			tree = detached_overlay(dirs);
	}
	if (tree < 0 && dirs[0] >= 0)
		tree = readonly_copy(dirs[0]);
	close_dirs(dirs, 3);
	return tree;
}
