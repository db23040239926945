//go:build linux

/* The sandbox's view of the file system: init's own /proc and /dev first, then
 * the plan's operations on the host's tree, which stays where it is. */
#define _GNU_SOURCE
#include "message.h"
#include "mounts.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_SLOTS 4096
static int slots[MAX_SLOTS];

static int fail_path(const char *what, const char *path)
{
	int e = errno;
	snprintf(failed_what, sizeof failed_what, "%s %s", what, path);
	errno = e;
	return -1;
}

/* What of the host's init mounts its own on. */
static struct { const char *path; int fd; } host[] = { { "/proc", -1 }, { "/dev", -1 } };
#define NHOST (sizeof host / sizeof *host)

int open_host(const char *path)
{
	for (size_t i = 0; i < NHOST; i++) {
		size_t n = strlen(host[i].path);
		if (strncmp(path, host[i].path, n) == 0 && path[n] == '/')
			return open_exact_at(host[i].fd, path + n + 1);
	}
	return open_exact(path);
}

void close_host(void)
{
	for (size_t i = 0; i < NHOST; i++)
		close(host[i].fd);
}

/* bind_file_ro binds a file on itself, read-only. Nothing is mounted below one, and
 * the kernel looks at every mount of the tree to find that out. */
static int bind_file_ro(const char *path)
{
	int at = open_exact(path);
	if (at < 0)
		return -1;
	int tree = copy_from_whole(at, path);
	if (tree < 0)
		tree = syscall(SYS_open_tree, at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = tree < 0 ? -1 : set_flags(tree, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0);
	if (r == 0)
		r = attach_at(tree, at);
	close(at);
	close(tree);
	return r;
}

static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
#define NDEVICES (sizeof devices / sizeof *devices)

static int put_device(int tree, const char *path)
{
	if (make_file(path, 0600) < 0 || attach(tree, path) < 0)
		return fail_path("mount", path);
	return close(tree);
}

/* find_terminal returns a copy of the terminal on standard input, output or
 * error. The new devpts does not have it; at /dev/console, ttyname(3) finds
 * it, as with systemd-nspawn. -1 where there is none. */
static int find_terminal(void)
{
	char link[32], path[128];
	for (int fd = 0; fd < 3; fd++) {
		if (!isatty(fd))
			continue;
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, path, sizeof path - 1);
		if (n <= 0)
			continue;
		path[n] = 0;
		int tree = clone_path(path);
		if (tree >= 0)
			return tree;
	}
	return -1;
}

static int mount_at(const char *type, const char *path, unsigned long flags, const char *data)
{
	return mount(type, path, type, flags, data) < 0 ? fail_path("mount", path) : 0;
}

static int make_dev(void)
{
	int trees[NDEVICES], console = find_terminal();
	char path[32];
	for (size_t i = 0; i < NDEVICES; i++) {
		snprintf(path, sizeof path, "/dev/%s", devices[i]);
		if ((trees[i] = clone_path(path)) < 0)
			return fail_path("copy", path);
	}
	if (mount_at("tmpfs", "/dev", MS_NOSUID, "mode=0755,size=1m") < 0)
		return -1;
	for (size_t i = 0; i < NDEVICES; i++) {
		snprintf(path, sizeof path, "/dev/%s", devices[i]);
		if (put_device(trees[i], path) < 0)
			return -1;
	}
	if (console >= 0 && put_device(console, "/dev/console") < 0)
		return -1;
	if (mkdir("/dev/pts", 0755) < 0 || mkdir("/dev/shm", 0755) < 0 || mkdir("/dev/tmp", 0755) < 0 ||
	    symlink("pts/ptmx", "/dev/ptmx") < 0 || symlink("/proc/self/fd", "/dev/fd") < 0 ||
	    symlink("/proc/self/fd/0", "/dev/stdin") < 0 || symlink("/proc/self/fd/1", "/dev/stdout") < 0 ||
	    symlink("/proc/self/fd/2", "/dev/stderr") < 0)
		return fail("fill /dev");
	if (make_masks() < 0)
		return fail("make the covers");
	if (mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620") < 0 ||
	    mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777") < 0 ||
	    mount_at("tmpfs", "/dev/tmp", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		return -1;
	return 0;
}

int mounts_base(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail("make the mounts private");
	for (size_t i = 0; i < NHOST; i++)
		if ((host[i].fd = open_exact(host[i].path)) < 0)
			return fail_path("open", host[i].path);
	if (mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -1;
	return make_dev();
}

static int mount_slot(const struct op *op, const char *path)
{
	if (op->slot >= MAX_SLOTS) {
		errno = EMFILE;
		return -1;
	}
	if (op->kind == OP_LAYER)
		return (slots[op->slot] = layer_over(path, op->len)) < 0 ? -1 : 0;
	if (op->kind == OP_CLONE) {
		int fd = open_exact(path);
		if (fd < 0)
			return -1;
		int tree = is_inode(fd, op) ? clone_tree(fd) : -1;
		close(fd);
		slots[op->slot] = tree;
		return tree < 0 ? -1 : 0;
	}
	int r = attach(slots[op->slot], path);
	close(slots[op->slot]);
	return r;
}

int is_there(const struct op *op)
{
	struct stat st;
	int fd = open_exact(op_data(op));
	if (fd < 0)
		return errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
	int r = fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) == !op->b;
	close(fd);
	return r;
}

/* show_device puts the host's device at a place in init's own /dev, read-only: that
 * keeps names from being made, and no device from being written. */
static int show_device(const char *path)
{
	int fd = open_host(path + strlen(path) + 1);
	int tree = fd < 0 ? -1 : clone_tree(fd);
	int r = tree < 0 ? -1 : set_flags(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
	if (r == 0)
		r = attach(tree, path);
	close(fd);
	close(tree);
	return r;
}

static int do_mount_op(const struct op *op, const char *path)
{
	switch (op->kind) {
	case OP_CLONE:
	case OP_LAYER:
	case OP_ATTACH:
		return mount_slot(op, path);
	case OP_READONLY:
		return set_flags(AT_FDCWD, path, op->b ? 0 : AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
	case OP_WRITABLE:
		return set_flags(AT_FDCWD, path, 0, 0, MOUNT_ATTR_RDONLY);
	case OP_PIN:
		return bind_on_itself(path, 0);
	case OP_BIND_RO:
		return op->b ? bind_file_ro(path) : bind_on_itself(path, MOUNT_ATTR_RDONLY);
	case OP_MASK:
	case OP_FILE:
		return mask(op, path);
	case OP_DEVICE:
		return show_device(path);
	case OP_TMP:
		return put_tmpfs(path);
	case OP_MKDIR:
		return mkdir(path, (mode_t)op->a) < 0 && !(op->b && errno == EEXIST) ? -1 : 0;
	case OP_MKFILE:
		return make_file(path, (mode_t)op->a) < 0 && !(op->b && errno == EEXIST) ? -1 : 0;
	}
	errno = EINVAL;
	return -1;
}

static const char *const op_names[] = {
	[OP_CLONE] = "copy the mounts at", [OP_READONLY] = "make read-only", [OP_WRITABLE] = "make writable",
	[OP_ATTACH] = "attach", [OP_PIN] = "pin", [OP_BIND_RO] = "bind read-only", [OP_MASK] = "hide",
	[OP_FILE] = "replace", [OP_MKDIR] = "make directory", [OP_MKFILE] = "make file",
	[OP_TMP] = "put a directory in memory over", [OP_LAYER] = "make a layer over",
	[OP_DEVICE] = "show the device",
};

int mount_op(const struct op *op, const char *path)
{
	return do_mount_op(op, path) < 0 ? fail_path(op_names[op->kind], path) : 0;
}
