//go:build linux

/* A symbolic link that is held cannot be removed, renamed or replaced: while
 * anything is mounted on its dentry in this mount namespace, unlink(2) and
 * rename(2) are EBUSY (is_local_mountpoint in the kernel's fs/namespace.c).
 * It does not matter through which mount. So a copy of the link's directory is
 * attached where nobody comes by, something is mounted on the link in there,
 * and in the tree that the command sees the link stays a link. */
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

static int held;

/* place_fd opens what lies topmost on the place for copies. */
static int place_fd(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	return syscall(SYS_openat2, covers, HOLD, &how, sizeof how);
}

static int put(int tree)
{
	int at = place_fd();
	int r = at < 0 ? -1 : attach_at(tree, at);
	close(at);
	return r;
}

/* copy_directory returns a detached copy of the mount at a directory, without
 * what is mounted below unless the kernel insists: who makes a user namespace is
 * not to see below the host's mounts (EINVAL). */
static int copy_directory(const char *path)
{
	unsigned int below = 0;
	int fd = open_exact(path);
	if (fd < 0)
		return -1;
	int tree = syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 && errno == EINVAL) {
		below = AT_RECURSIVE;
		tree = clone_tree(fd);
	}
	close(fd);
	if (tree >= 0 && set_flags(tree, "", AT_EMPTY_PATH | below, MOUNT_ATTR_RDONLY, 0) < 0) {
		close(tree);
		return -1;
	}
	return tree;
}

/* mount_on puts something on a name, which must be a link. */
static int mount_on(int dir, const char *name)
{
	struct stat st;
	int r = -1, at = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return -1;
	errno = ESTALE;
	if (fstat(at, &st) == 0 && S_ISLNK(st.st_mode)) {
		int tree = copy_cover("file");
		r = tree < 0 ? -1 : attach_at(tree, at);
		close(tree);
	}
	close(at);
	return r;
}

int hold_link(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	if (!slash || (size_t)(slash - path) >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, slash - path);
	dir[slash - path] = 0;
	int tree = copy_directory(dir[0] ? dir : "/");
	if (tree < 0)
		return -1;
	int r = put(tree);
	if (r == 0) {
		held = 1;
		r = mount_on(tree, slash + 1);
	}
	close(tree);
	return r;
}

/* bury_held covers the copies by an empty directory: nothing leads to them. */
int bury_held(void)
{
	if (!held)
		return 0;
	int tree = copy_cover("directory");
	int r = tree < 0 ? -1 : put(tree);
	close(tree);
	return r;
}
