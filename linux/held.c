//go:build linux

/* Most programs write a file by renaming a new one over it, and the kernel then
 * takes every mount on the old one away, in the sandbox too. The guard sees the
 * rename and has a child put the same over the new file: who made a user
 * namespace may join it and its mount namespace (user_namespaces(7)), out of
 * the command's sight. */
#define _GNU_SOURCE
#include "guard.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

struct held {
	int directory, number;
	uint32_t kind;
	const char *path, *name;
	ino_t ino;
	dev_t dev;
};

static struct held *list;
static int mounted; /* so many of the list */
static int nheld, user_namespace, mount_namespace;

int held_allocate(int n)
{
	struct held *grown = realloc(list, (nheld + n) * sizeof *list);
	if (grown)
		list = grown;
	return grown ? 0 : -1;
}

void held_already(void) { mounted = nheld; }

void held_namespaces(int user, int mount)
{
	user_namespace = user;
	mount_namespace = mount;
}

void held_add(const struct op *op, int first)
{
	const char *path = op_data(op);
	list[nheld] = (struct held){ .directory = first + op->slot, .number = nheld, .kind = op->kind,
		.path = path, .name = strrchr(path, '/') + 1,
		.ino = op->a, .dev = makedev(op->b >> 20, op->b & 0xfffff) };
	nheld++;
}

int held_is(dev_t dev, ino_t ino)
{
	for (int i = 0; i < nheld; i++)
		if (list[i].ino == ino && list[i].dev == dev)
			return 1;
	return 0;
}

static int join(void)
{
	return setns(user_namespace, CLONE_NEWUSER) < 0 || setns(mount_namespace, CLONE_NEWNS) < 0 ? errno : 0;
}

/* put_on mounts what has to be on a path: 0, or an errno. */
static int put_on(const struct held *h, int file)
{
	int r;
	if (h->kind == OP_HELD_HIDDEN)
		r = cover_again(h->path, file);
	else if (h->kind == OP_HELD_ENTRY)
		r = hold_entry(h->path);
	else
		r = bind_on_itself(h->path, MOUNT_ATTR_RDONLY);
	return r < 0 && errno != ENOENT ? errno : 0; /* gone again: there will be another look */
}

/* hold_inside runs in the child: 0, or an errno. */
static int hold_inside(const struct held *h, int file)
{
	int err = join();
	if (err)
		return err;
	return put_on(h, file);
}

/* held_new has one child mount everything, and tell of the first failure. */
void held_new(void)
{
	int *failed = mmap(NULL, 2 * sizeof *failed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = failed == MAP_FAILED ? -1 : fork();
	if (pid == 0) {
		int err = join();
		for (int i = mounted; i < nheld && !err; i++) {
			err = put_on(&list[i], 0);
			failed[0] = i;
		}
		failed[1] = err;
		_exit(0);
	}
	int status = 1;
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		guard_unheld(mounted, errno ? errno : EIO);
	else if (failed[1])
		guard_unheld(failed[0], failed[1]);
	munmap(failed, 2 * sizeof *failed);
	mounted = nheld;
}

static int hold_again(const struct held *h, int file)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(hold_inside(h, file));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

void held_look(int directory, int fd)
{
	for (int i = 0; i < nheld && fd >= 0; i++) {
		struct held *h = &list[i];
		struct stat st;
		if (h->directory != directory || h->kind == OP_HELD_ENTRY || fstatat(fd, h->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (st.st_ino == h->ino && st.st_dev == h->dev)
			continue;
		int err = ESTALE; /* another tree, with nothing in it held: too much to mend */
		if (h->kind != OP_HELD_PINNED && !S_ISLNK(st.st_mode))
			err = hold_again(h, !S_ISDIR(st.st_mode));
		if (err)
			guard_unheld(h->number, err);
		h->ino = st.st_ino;
		h->dev = st.st_dev;
	}
}
