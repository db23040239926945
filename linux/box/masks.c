//go:build linux

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
#include <unistd.h>

/* Masks are what denied paths are masked by: an empty directory, an empty
 * file, and files to be filled. They lie in a directory that the command
 * cannot list (init itself may lack the right to pass any directory,
 * CAP_DAC_OVERRIDE), on a mount that is read-only from the start, so that every
 * copy is; init fills files through another mount of its own. */
#define MASKS "/dev/.srun"
static const char *const spare_files[] = { "0", "1", "2", "3" };
#define NSPARE (sizeof spare_files / sizeof *spare_files)
static size_t used_spares;
int masks = -1;
static int masks_writable = -1;

int make_masks(void)
{
	if (mkdir(MASKS, 0300) < 0 || mkdir(MASKS "/directory", 0) < 0 || make_file(MASKS "/file", 0) < 0 ||
	    make_file(MASKS "/0", 0644) < 0 || make_file(MASKS "/1", 0644) < 0 || make_file(MASKS "/2", 0644) < 0 ||
	    make_file(MASKS "/3", 0644) < 0)
		return -1;
	masks_writable = clone_path(MASKS);
	if (masks_writable < 0 || bind_on_itself(MASKS, MOUNT_ATTR_RDONLY) < 0)
		return -1;
	masks = open_exact(MASKS);
	return masks < 0 ? -1 : 0;
}

static int fill(int dir, const char *path, const char *content, size_t len)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, content, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

int copy_mask(const char *name)
{
	return syscall(SYS_open_tree, masks, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* ready_mask returns a detached copy of a mask that is there already, -1
 * with errno ENOENT when the operation needs one of its own. */
static int ready_mask(const struct op *op)
{
	size_t name = strlen(op_data(op)) + 1;
	if (op->kind == OP_MASK && op->a == 0 && !op->slot)
		return copy_mask(op->b ? "file" : "directory");
	if (op->kind == OP_FILE && used_spares < NSPARE) {
		const char *spare = spare_files[used_spares++];
		if (fill(masks_writable, spare, op_data(op) + name, op->len - name) < 0 ||
		    fchmodat(masks_writable, spare, (mode_t)op->a, 0) < 0)
			return -1;
		return copy_mask(spare);
	}
	errno = ENOENT;
	return -1;
}

static int made_masks;

/* make_mask returns a detached, empty directory or file of the given mode, on
 * a tmpfs that stays only where something of it is attached. */
static int make_mask(const struct op *op)
{
	char path[40];
	if (!made_masks && mount("tmpfs", MASKS, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0711,nr_inodes=0") < 0)
		return -1;
	snprintf(path, sizeof path, MASKS "/%d", ++made_masks);
	if (op->b ? make_file(path, 0) < 0 : mkdir(path, 0) < 0)
		return -1;
	if (chmod(path, 0600) < 0)
		return -1;
	size_t name = strlen(op_data(op)) + 1;
	if (op->kind == OP_FILE && fill(AT_FDCWD, path, op_data(op) + name, op->len - name) < 0)
		return -1;
	if (chmod(path, (mode_t)op->a) < 0)
		return -1;
	return clone_path(path);
}

/* mask puts something empty, or a file with the operation's content, over a
 * path. */
int mask(const struct op *op, const char *path)
{
	int r = 0, tree = ready_mask(op);
	if (tree < 0 && errno == ENOENT) {
		tree = make_mask(op);
		r = op->slot ? 0 : set_flags(tree, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0);
	}
	if (tree < 0)
		return -1;
	if (r == 0)
		r = attach(tree, path);
	close(tree);
	return r;
}

int open_masks(void)
{
	return masks >= 0 || (masks = open_exact(MASKS)) >= 0 ? 0 : -1;
}

int mounts_done(void)
{
	close(masks);
	close(masks_writable);
	if (made_masks && umount2(MASKS, MNT_DETACH) < 0)
		return fail("detach the covers");
	return 0;
}
