//go:build linux

/* The guard's list: names that must not be, and the directories on the way to
 * them, which come and go. Directories are watched by directory notification
 * (fcntl(2), F_NOTIFY) and not inotify: closing an inotify descriptor waits for
 * a grace period of the kernel, 5 to 15 ms at the end of every run. */
#define _GNU_SOURCE
#include "nest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory: a writable root, or a name below another that is on the way. */
struct directory {
	int parent; /* -1: a root */
	const char *name;
	int number; /* of a denied path below it */
	int fd;     /* -1: not there */
	dev_t dev;
	ino_t ino;
};

struct absent {
	int directory;
	const char *name;
	int number;
	int shared; /* somebody else deals with it, as long as there is somebody */
	int there, waiting, again;
	int fd;     /* to watch what is in it while it is there */
	dev_t dev;
	ino_t ino;
};

static struct directory *directories;
static struct absent *absents;
static int ndirectories, nabsents, polls, checking;

int guard_polls(void) { return polls; }

static int no_entry(const char *what, const char *name)
{
	snprintf(failed_what, sizeof failed_what, "%s %.60s", what, name);
	return -1;
}

/* watch asks for a signal of its own, which tells the descriptor; when too many
 * are waiting, SIGIO comes in its place (fcntl(2), F_SETSIG). */
static void watch(int fd)
{
	if (fcntl(fd, F_SETSIG, GUARD_SIGNAL) < 0 || fcntl(fd, F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT) < 0)
		polls = 1;
}

static int open_root(const struct op *op)
{
	int fd = open(op_data(op), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && is_inode(fd, op))
		return fd;
	return no_entry("open", op_data(op));
}

#define SPARE_FDS 64 /* for all but the directories */
static struct rlimit most;
static rlim_t unwatched; /* directories, whose files would not be held again where the host replaces them */

/* enough_descriptors makes sure of one for each directory, there or not yet: one
 * that cannot be opened would go unwatched. A command can make many of them for
 * its next run, by submodules for instance. */
static int enough_descriptors(void)
{
	rlim_t need = SPARE_FDS + ndirectories - unwatched;
	for (int i = 0; i < nabsents; i++)
		need += absents[i].shared;
	if (need <= most.rlim_cur)
		return 0;
	errno = EMFILE;
	return no_entry("watch", "every directory");
}

static int make_room(const struct plan *list)
{
	int n = 0;
	for (const struct op *op = plan_next(list, NULL); op; op = plan_next(list, op))
		n++;
	struct directory *d = realloc(directories, (ndirectories + n) * sizeof *d);
	if (d)
		directories = d;
	struct absent *a = realloc(absents, (nabsents + n) * sizeof *a);
	if (a)
		absents = a;
	return d && a ? held_allocate(n) : -1;
}

static int add_directory(const struct op *op, int first)
{
	struct directory *d = &directories[ndirectories++];
	*d = (struct directory){ .parent = first + op->slot, .name = op_data(op), .number = op->a, .fd = -1 };
	if (op->kind == OP_BELOW)
		return 0;
	d->parent = -1;
	if (op->kind == OP_NEAR && ndirectories - unwatched > most.rlim_cur / 2) {
		unwatched++;
		return 0;
	}
	d->fd = open_root(op);
	if (d->fd >= 0)
		watch(d->fd);
	return d->fd < 0 && op->kind == OP_ROOT ? -1 : 0;
}

int guard_list(const struct plan *list)
{
	const int first = ndirectories; /* the list counts its own from 0 */
	if (make_room(list) < 0)
		return no_entry("remember", "the list");
	if (getrlimit(RLIMIT_NOFILE, &most) < 0)
		return no_entry("find", "the limit of open files");
	most.rlim_cur = most.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &most) < 0)
		return no_entry("raise", "the limit of open files");
	for (const struct op *op = plan_next(list, NULL); op->kind != OP_END; op = plan_next(list, op)) {
		if (op->kind == OP_ABSENT)
			absents[nabsents++] = (struct absent){ .directory = first + op->slot, .name = op_data(op),
				.number = op->a, .shared = op->b, .fd = -1 };
		else if ((op->kind >= OP_HELD && op->kind <= OP_HELD_PINNED) || op->kind == OP_HELD_ENTRY)
			held_add(op, first);
		else if ((op->kind == OP_NEST || op->kind == OP_NAME ? nest_add(op) : add_directory(op, first)) < 0)
			return -1;
	}
	return enough_descriptors();
}

/* look_up is fstatat(2) also in a directory that the command made its owner
 * unable to pass. */
static int look_up(int dir, const char *name, struct stat *st)
{
	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != EACCES || open_up(dir, ".") < 0)
		return -1;
	return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW);
}

static int open_directory(int dir, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);
	if (fd < 0 && errno == EACCES && open_up(dir, name) == 0)
		fd = openat(dir, name, flags);
	return fd;
}

/* follow has *fd be what a name is now, and watched. */
static void follow(int dir, const char *name, const struct stat *st, int *fd, dev_t *dev, ino_t *ino)
{
	if (*fd >= 0 && st && S_ISDIR(st->st_mode) && st->st_dev == *dev && st->st_ino == *ino)
		return;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	struct stat now;
	if (!st || !S_ISDIR(st->st_mode) || (*fd = open_directory(dir, name)) < 0 || fstat(*fd, &now) < 0)
		return;
	*dev = now.st_dev;
	*ino = now.st_ino;
	watch(*fd);
}

static void expel(int dir, const char *name, int number)
{
	if (remove_all(dir, name) == 0)
		guard_expelled(number);
	else
		guard_stuck(number, errno);
}

/* visit brings a directory on the way up to date. A link in its place would
 * lead out of what is watched: it goes. */
static void visit(struct directory *d)
{
	struct stat st;
	if (d->parent < 0)
		return;
	int up = directories[d->parent].fd;
	int there = up >= 0 && look_up(up, d->name, &st) == 0;
	if (there && S_ISLNK(st.st_mode)) {
		if (!checking)
			expel(up, d->name, d->number);
		there = 0;
	}
	follow(up, d->name, there ? &st : NULL, &d->fd, &d->dev, &d->ino);
}

static void found(struct absent *a, int dir, const struct stat *st)
{
	if (a->shared) {
		if (a->waiting) {
			a->again = 1;
			return;
		}
		follow(dir, a->name, st, &a->fd, &a->dev, &a->ino);
		int taken = guard_appeared(a->number);
		a->waiting = taken > 0;
		if (taken < 0)
			polls = 1; /* the queue is full: once more soon */
		if (taken != 0)
			return;
	}
	expel(dir, a->name, a->number);
}

/* look_in looks at the absent names of a directory, or of all (-1). */
static int look_in(int directory, int check)
{
	for (int i = 0; i < nabsents; i++) {
		struct absent *a = &absents[i];
		struct stat st;
		int dir = directories[a->directory].fd;
		if (directory >= 0 && a->directory != directory)
			continue;
		a->there = dir >= 0 && look_up(dir, a->name, &st) == 0;
		if (!a->there)
			continue;
		if (check && a->shared)
			continue; /* another run's, perhaps: not before srun listens */
		if (check) {
			errno = EEXIST;
			return no_entry("hold what was made while srun started:", a->name);
		}
		found(a, dir, &st);
	}
	return 0;
}

void guard_alone(void)
{
	for (int i = 0; i < nabsents; i++)
		absents[i].waiting = 0;
}

int guard_waits(void)
{
	int n = 0;
	for (int i = 0; i < nabsents; i++)
		n += absents[i].shared && absents[i].there;
	return n;
}

void guard_expel(int number)
{
	struct stat st;
	for (int i = 0; i < nabsents; i++) {
		struct absent *a = &absents[i];
		int dir = directories[a->directory].fd;
		if (a->number == number && dir >= 0 && look_up(dir, a->name, &st) == 0)
			expel(dir, a->name, number);
	}
}

int guard_look(int check)
{
	checking = check;
	for (int i = 0; i < ndirectories; i++)
		visit(&directories[i]);
	for (int i = 0; i < ndirectories; i++)
		held_look(i, directories[i].fd);
	return look_in(-1, check);
}

int guard_look_at(int fd)
{
	int at = 0;
	while (at < ndirectories && directories[at].fd != fd)
		at++;
	if (at == ndirectories)
		return -1;
	for (int i = 0; i < ndirectories; i++) {
		int before = directories[i].fd;
		if (directories[i].parent != at)
			continue;
		dev_t dev = directories[i].dev;
		ino_t ino = directories[i].ino;
		visit(&directories[i]);
		if (directories[i].fd != before || directories[i].dev != dev || directories[i].ino != ino)
			return -1; /* and with it all that is below */
	}
	held_look(at, directories[at].fd);
	return look_in(at, 0);
}

int guard_settled(int number)
{
	for (int i = 0; i < nabsents; i++) {
		if (absents[i].number != number || !absents[i].waiting)
			continue;
		absents[i].waiting = 0;
		int again = absents[i].again;
		absents[i].again = 0;
		return again;
	}
	return 0;
}
