//go:build linux

/* The calls of the new mount API, relative to descriptors and without links. */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_exact_at(int dir, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	return syscall(SYS_openat2, dir, path, &how, sizeof how);
}

int open_exact(const char *path) { return open_exact_at(AT_FDCWD, path); }

int clone_tree(int fd)
{
	return syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

int clone_path(const char *path)
{
	int fd = open_exact(path);
	if (fd < 0)
		return -1;
	int tree = clone_tree(fd);
	close(fd);
	return tree;
}

int attach_at(int tree, int at)
{
	return syscall(SYS_move_mount, tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int attach(int tree, const char *path)
{
	int at = open_exact(path);
	if (at < 0)
		return -1;
	int r = attach_at(tree, at);
	close(at);
	return r;
}

int set_flags(int fd, const char *path, unsigned int at, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };
	return syscall(SYS_mount_setattr, fd, path, at, &attr, sizeof attr);
}

int bind_on_itself(const char *path, uint64_t set)
{
	int at = open_exact(path);
	if (at < 0)
		return -1;
	int tree = clone_tree(at);
	int r = tree < 0 ? -1 : 0;
	if (r == 0 && set)
		r = set_flags(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, set, 0);
	if (r == 0)
		r = attach_at(tree, at);
	close(at);
	close(tree);
	return r;
}

int make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
	return fd < 0 ? -1 : close(fd);
}
