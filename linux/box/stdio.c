//go:build linux

/* Files of the caller's that the command may only read. Through a descriptor of
 * the caller's own mount it could change their modes, times and attributes all
 * the same, so it gets each anew, on a read-only mount. */
#define _GNU_SOURCE
#include "message.h"
#include "mounts.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int places[3] = { -1, -1, -1 };

/* find_stdio opens the files' places, before anything masks them; below the
 * host's /proc and /dev, before whose mounts init has put its own, by those. */
void find_stdio(const struct plan *p)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op)) {
		if (op->kind != OP_REOPEN || op->slot > 2)
			continue;
		int fd = open_host(op_data(op));
		if (fd >= 0 && !is_inode(fd, op)) {
			close(fd);
			fd = -1;
		}
		places[op->slot] = fd;
	}
}

static int again(int fd, int flags)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC | O_NOCTTY);
}

/* on_read_only opens a place again through a read-only mount: its own, where the
 * plan made it one. */
static int on_read_only(int place, int flags)
{
	struct statvfs vfs;
	if (fstatvfs(place, &vfs) < 0)
		return -1;
	if (vfs.f_flag & ST_RDONLY)
		return again(place, flags);
	int tree = clone_tree(place), fd = -1;
	if (tree >= 0 && set_flags(tree, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0) == 0)
		fd = again(tree, flags);
	close(tree);
	return fd;
}

/* could_change tells whether a descriptor is of any use to the command but for
 * reading. Who is not the owner and may not write can change nothing. In /proc,
 * a process's files take no other mode, and open to few. */
static int could_change(int fd)
{
	char path[32];
	struct stat st;
	struct statfs fs;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return 1;
	return fs.f_type != PROC_SUPER_MAGIC && (st.st_uid == geteuid() || access(path, W_OK) == 0);
}

/* reopen replaces one descriptor, and sends srun the new one: who shares the
 * caller's finds the position moved when the command has ended. */
static int reopen(struct plan *p, const struct op *op)
{
	int old = p->stdio[op->slot], flags = fcntl(old, F_GETFL);
	int fd = places[op->slot] < 0 ? -1 :
		on_read_only(places[op->slot], flags & (O_ACCMODE | O_PATH | O_NONBLOCK | O_DIRECT | O_NOATIME));
	off_t at = lseek(old, 0, SEEK_CUR);
	if (fd < 0 && !could_change(old))
		return 0;
	if (fd < 0 || (at > 0 && lseek(fd, at, SEEK_SET) < 0))
		return -1;
	struct message m = { .type = MSG_REOPENED, .a = (int32_t)op->slot };
	if (send_fds(p->sock, &m, &fd, 1) < 0)
		return -1;
	close(old);
	p->stdio[op->slot] = fd;
	return 0;
}

int reopen_stdio(struct plan *p)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op)) {
		if (op->kind != OP_REOPEN || op->slot > 2)
			continue;
		if (reopen(p, op) < 0) {
			snprintf(failed_what, sizeof failed_what, "open descriptor %u again, read-only: %.60s", op->slot, op_data(op));
			return -1;
		}
		close(places[op->slot]);
	}
	return 0;
}
