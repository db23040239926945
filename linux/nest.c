//go:build linux

/* The walk: breadth first, so that what is watched and held first is what lies
 * nearest. It follows no link and passes no mount point. */
#define _GNU_SOURCE
#include "nest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#define MAX_PARTS 8

struct nest_name nest_names[MAX_NAMES];
int nnest_names;

static const char *parts[MAX_PARTS];
static int nparts, next;
static struct timespec began; /* 0: the command does not run yet */

struct known { dev_t dev; ino_t ino; };
static struct known *known; /* the protected paths that were there */
static int nknown, room_known;

static int no_memory(void)
{
	errno = ENOMEM;
	return fail("remember the directories");
}

int nest_part(const char *name)
{
	for (int i = 0; i < nparts; i++)
		if (!strcmp(parts[i], name))
			return 1 + i;
	return 0;
}

const char *nest_part_name(int n) { return n < nparts ? parts[n] : NULL; }

static int add_name(const struct op *op)
{
	const char *name = op_data(op), *slash = strchr(name, '/');
	int kind = 0;
	if (nnest_names == MAX_NAMES)
		return no_memory();
	if (slash) {
		char *part = strndup(name, slash - name);
		if (!part || (!(kind = nest_part(part)) && nparts == MAX_PARTS))
			return no_memory();
		if (!kind) {
			parts[nparts++] = part;
			kind = nparts;
		}
		name = slash + 1;
	}
	nest_names[nnest_names++] = (struct nest_name){ .name = name, .kind = kind, .shared = op->b };
	return 0;
}

int nest_add(const struct op *op)
{
	if (op->kind == OP_NAME)
		return add_name(op);
	int i = op->a ? nest_deny(op_data(op)) : nest_new(op_data(op));
	if (op->a && i == 0)
		return 0;
	if (i < 0)
		return no_memory();
	nests[i].repository = op->b;
	nests[i].fd = open(op_data(op), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return nests[i].fd < 0 ? fail("open a writable directory") : 0;
}

struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

int nest_each(int fd, void (*act)(int i, int fd, const char *name, int type), int i)
{
	static char buf[1 << 16]; /* of the directory at hand: act does not come back here */
	ssize_t n;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct entry *e = (struct entry *)(buf + at);
			struct stat st;
			at += e->len;
			if (!strcmp(e->name, ".") || !strcmp(e->name, ".."))
				continue;
			int type = e->type << 12; /* DT_* are the bits of S_IFMT (readdir(3)) */
			if (!type && fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				type = st.st_mode & S_IFMT;
			act(i, fd, e->name, type);
		}
	}
	return n < 0 ? -1 : 0;
}

dev_t nest_device(const struct statx *st) { return (dev_t)st->stx_dev_major << 32 | st->stx_dev_minor; }

static int later(const struct statx_timestamp *t, const struct timespec *than)
{
	return t->tv_sec != than->tv_sec ? t->tv_sec > than->tv_sec : t->tv_nsec > (uint32_t)than->tv_nsec;
}

/* nest_is_new: made since the command runs. Nobody can set the time of birth. */
int nest_is_new(const struct statx *st)
{
	return began.tv_sec && (st->stx_mask & STATX_BTIME) && later(&st->stx_btime, &began);
}

void nest_begin(void)
{
	/* The clock that files get their times of (coarse: it never runs ahead). */
	clock_gettime(CLOCK_REALTIME_COARSE, &began);
}

int nest_known(const struct statx *st)
{
	for (int i = 0; i < nknown; i++)
		if (known[i].ino == st->stx_ino && known[i].dev == nest_device(st))
			return 1;
	return 0;
}

static void remember(const struct statx *st)
{
	if (nknown == room_known) {
		int more = room_known ? 2 * room_known : 16;
		struct known *grown = realloc(known, more * sizeof *known);
		if (!grown)
			return;
		known = grown;
		room_known = more;
	}
	known[nknown++] = (struct known){ .dev = nest_device(st), .ino = st->stx_ino };
}

void nest_tell(uint32_t type, int a, int i, const char *name)
{
	char path[4096];
	if (nest_path(i, name, path, sizeof path) == 0)
		guard_tell_path(type, a, path);
}

int nest_in_repository(int i)
{
	for (; i >= 0; i = nests[i].parent)
		if (nests[i].repository)
			return 1;
	return 0;
}

/* found: a protected name is there. One that the command made while the walk
 * went on is for nest_look to remove. */
static void found(int i, int fd, int number)
{
	struct statx st;
	const char *name = nest_names[number].name;
	if (statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_CTIME, &st) < 0)
		return;
	if (nest_is_new(&st)) {
		nests[i].touched = 1;
		return;
	}
	nests[i].present |= 1u << number;
	remember(&st);
	nest_tell(MSG_FOUND, began.tv_sec && later(&st.stx_ctime, &began) ? FOUND_CHANGED : FOUND_NAME, i, name);
}

#define HAS_HEAD 1
#define HAS_OBJECTS 2
#define HAS_REFS 4
static int git_parts;

/* found_git: one that the command made while the walk went on is for nest_finish. */
static void found_git(int i, int fd)
{
	struct statx st;
	if (statx(fd, ".git", AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) < 0)
		return;
	if (nest_is_new(&st)) {
		nests[i].touched = 1;
		return;
	}
	nests[i].repository = 1;
	remember(&st);
	if (nests[i].parent >= 0)
		nest_tell(MSG_FOUND, FOUND_REPOSITORY, i, "");
}

static void entry(int i, int fd, const char *name, int type)
{
	int kind = nests[i].kind, top = nests[i].parent < 0;
	if (name[0] == '.' || kind)
		for (int n = 0; n < nnest_names && !top; n++)
			if (nest_names[n].kind == kind && !strcmp(nest_names[n].name, name))
				found(i, fd, n);
	if (kind)
		return;
	if (!strcmp(name, ".git")) {
		found_git(i, fd);
		return;
	}
	git_parts |= !strcmp(name, "HEAD") ? HAS_HEAD : !strcmp(name, "objects") ? HAS_OBJECTS : !strcmp(name, "refs") ? HAS_REFS : 0;
	if (type == S_IFDIR && strcmp(name, "node_modules") && !nest_denied(i, name))
		nest_child(i, name, nest_part(name));
}

/* made_since: what the command makes is its own, below it too. */
static int made_since(int i, const struct statx *st)
{
	nests[i].gone = nests[i].parent >= 0 && !nests[i].kind && nest_is_new(st);
	if (nests[i].gone)
		nests[nests[i].parent].touched = 1; /* a repository may be in it */
	return nests[i].gone;
}

static void read_names(int i, int fd)
{
	git_parts = 0;
	nest_each(fd, entry, i);
	if (git_parts != (HAS_HEAD | HAS_OBJECTS | HAS_REFS) || nests[i].parent < 0 || nests[i].repository)
		return;
	nests[i].repository = 1;
	nest_tell(MSG_FOUND, FOUND_REPOSITORY, i, "");
	for (int c = nests[i].child; c >= 0; c = nests[c].sibling)
		nests[c].gone = 1; /* git's own */
}

static void take_down(int i, const struct statx *st)
{
	nests[i].ino = st->stx_ino;
	nests[i].dev = nest_device(st);
	nests[i].changed = (struct timespec){ st->stx_ctime.tv_sec, st->stx_ctime.tv_nsec };
}

/* counts_links: on these file systems a directory has a link for each of its
 * subdirectories, besides its name and its ".". */
static int counts_links(int i, int fd)
{
	static int last = -1, counts;
	struct statfs fs;
	int root = nest_root(i);
	if (root == last)
		return counts;
	if (fstatfs(fd, &fs) < 0)
		return 0;
	last = root;
	return counts = fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC;
}

/* scan_leaf scans a directory that has none below, as most have not, without
 * reading it; 0 when there is something to be seen. */
static int scan_leaf(int i)
{
	struct statx st, at;
	const unsigned int mask = STATX_INO | STATX_BTIME | STATX_CTIME | STATX_NLINK;
	int fd = nests[i].kind ? -1 : nest_open_path(i);
	if (fd < 0)
		return 0;
	int leaf = counts_links(i, fd) && statx(fd, "", AT_EMPTY_PATH, mask, &st) == 0 && st.stx_nlink == 2 &&
		statx(fd, ".git", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &at) < 0;
	for (int n = 0; n < nnest_names && leaf; n++)
		if (!nest_names[n].kind)
			leaf = statx(fd, nest_names[n].name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &at) < 0;
	close(fd);
	if (leaf && !made_since(i, &st))
		take_down(i, &st);
	return leaf;
}

void nest_scan(int i)
{
	struct statx st;
	if (nests[i].gone || (nest_watched_all() && scan_leaf(i)))
		return;
	int fd = nest_open(i);
	if (fd < 0)
		return;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | STATX_CTIME, &st) == 0 && !made_since(i, &st)) {
		take_down(i, &st);
		nest_watch(i, fd);
		read_names(i, fd);
	}
	nest_close(i, fd);
}

static long passed_us(const struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000000 + (now.tv_nsec - since->tv_nsec) / 1000;
}

int nest_walk(long us)
{
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (next < nnests && passed_us(&start) < us) {
		int i = next++;
		nest_scan(i);
		if (nests[i].touched)
			nest_look(i);
	}
	return next == nnests;
}
