//go:build linux

/* After the walk: what appears in the directories that it came by. What the
 * command makes a directory of its own for, is its own. */
#define _GNU_SOURCE
#include "nest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FEW 32 /* subdirectories that are looked at on every change */
#define POLL_LEAST_MS 500
#define POLL_SHARE 100 /* of the time that a look at all takes */
static int poll_ms = POLL_LEAST_MS;

static void look(int i, int all);
void nest_look(int i) { look(i, 0); }

/* find is statx(2) also in a directory that the command made its owner unable
 * to pass. */
static int find(int fd, const char *name, struct statx *st)
{
	const unsigned int mask = STATX_TYPE | STATX_INO | STATX_BTIME | STATX_CTIME;
	if (statx(fd, name, AT_SYMLINK_NOFOLLOW, mask, st) == 0)
		return 0;
	if (errno != EACCES || open_up(fd, ".") < 0)
		return -1;
	return statx(fd, name, AT_SYMLINK_NOFOLLOW, mask, st);
}

static void expel(int i, int fd, const char *name)
{
	nest_tell(MSG_NESTED, remove_all(fd, name) == 0 ? 0 : errno, i, name);
}

static void look_for_names(int i, int fd)
{
	struct statx st;
	for (int n = 0; n < nnest_names; n++) {
		int shared = nest_names[n].shared && !guard_is_alone();
		if (nest_names[n].kind != nests[i].kind || (nests[i].present >> n & 1 && (shared || !nest_names[n].shared)))
			continue;
		if (find(fd, nest_names[n].name, &st) < 0 || nest_known(&st) ||
		    held_is(makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino))
			continue; /* moved here, and still held */
		if (shared) {
			nests[i].present |= 1u << n;
			nest_tell(MSG_FOUND, FOUND_SHARED, i, nest_names[n].name);
		} else {
			expel(i, fd, nest_names[n].name);
		}
	}
}

static int child_of(int i, const char *name)
{
	int c = nests[i].child;
	while (c >= 0 && strcmp(nests[c].name, name))
		c = nests[c].sibling;
	return c;
}

static int same(int c, const struct statx *st)
{
	return nests[c].ino == st->stx_ino && nests[c].dev == nest_device(st);
}

static void replaced(int c, const struct statx *st)
{
	nests[c].ino = st->stx_ino;
	nests[c].dev = nest_device(st);
	nests[c].present = 0;
	if (nests[c].repository)
		nest_tell(MSG_FOUND, FOUND_REPOSITORY, c, ""); /* the host's doing: it was held */
}

/* follow takes what has a directory's name now for that directory. */
static void follow(int c, const struct statx *st)
{
	struct statx opened; /* by now it may be another */
	nest_unwatch(c);
	int fd = nest_open(c);
	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_INO, &opened) == 0)
		st = &opened;
	replaced(c, st);
	if (fd >= 0)
		nest_watch(c, fd);
	nest_close(c, fd);
	look(c, 1);
}

/* look_for_parts watches a ".claude" that appears. */
static void look_for_parts(int i, int fd)
{
	struct statx st;
	const char *part;
	for (int p = 0; (part = nest_part_name(p)); p++) {
		if (find(fd, part, &st) < 0 || !S_ISDIR(st.stx_mode) || child_of(i, part) >= 0)
			continue;
		int c = nest_child(i, part, 1 + p);
		if (c >= 0)
			follow(c, &st);
	}
}

/* look_for_bare: with these three, git takes the directory for a repository. */
static void look_for_bare(int i, int fd)
{
	struct statx st;
	if (nests[i].repository || find(fd, "HEAD", &st) < 0 || find(fd, "objects", &st) < 0 || find(fd, "refs", &st) < 0)
		return;
	if (nest_in_repository(i))
		expel(i, fd, "HEAD");
}

/* leads_to tells whether a link has a protected name in it; nothing of another
 * mount is asked, for that may never answer. */
static int leads_to(int fd, const char *link)
{
	char path[512];
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
	for (int n = 0; n < nnest_names; n++) {
		if (nest_names[n].kind || snprintf(path, sizeof path, "%s/%s", link, nest_names[n].name) >= (int)sizeof path)
			continue;
		int at = syscall(SYS_openat2, fd, path, &how, sizeof how);
		if (at >= 0) {
			close(at);
			return 1;
		}
	}
	return 0;
}

static void look_for_others(int i, int fd)
{
	struct statx st;
	for (int c = nests[i].child; c >= 0; c = nests[c].sibling) {
		if (nests[c].gone || !nests[c].ino || find(fd, nests[c].name, &st) < 0 || same(c, &st))
			continue;
		if (S_ISDIR(st.stx_mode))
			follow(c, &st);
		else if (S_ISLNK(st.stx_mode) && leads_to(fd, nests[c].name))
			expel(i, fd, nests[c].name);
	}
}

/* few counts subdirectories, to FEW. */
static int few(int i)
{
	int n = 0;
	for (int c = nests[i].child; c >= 0 && n <= FEW; c = nests[c].sibling)
		n++;
	return n <= FEW;
}

/* own_look opens a directory for one look: what removes may look at more, and
 * close a descriptor that is watched. */
static int own_look(int i)
{
	if (nests[i].fd < 0)
		return nest_open(i);
	return open_again(nests[i].fd);
}

static void look(int i, int all)
{
	struct statx st;
	int fd = own_look(i);
	if (fd < 0)
		return;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_CTIME | STATX_INO, &st) == 0) {
		nests[i].changed = (struct timespec){ st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec };
		if (!same(i, &st)) { /* and what was there is elsewhere */
			replaced(i, &st);
			all = 1;
		}
	}
	nests[i].touched = 1;
	if (nests[i].parent >= 0) /* in a writable directory itself, the list has them */
		look_for_names(i, fd);
	if (nests[i].parent >= 0 && !nests[i].kind) {
		look_for_parts(i, fd);
		look_for_bare(i, fd);
	}
	if (all || few(i))
		look_for_others(i, fd);
	close(fd);
}

#define TICK_NS 20000000 /* before Linux 6.13 two changes in one tick have one time */

static int just_changed(int i)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (now.tv_sec - nests[i].changed.tv_sec) * 1000000000LL + now.tv_nsec - nests[i].changed.tv_nsec < TICK_NS;
}

void nest_look_watched(void)
{
	int fd = 0;
	for (int i; (i = nest_watched(&fd)) >= 0;)
		if (nest_changed(i) || just_changed(i))
			look(i, 0);
}

/* look_at_changed looks where something changed since the last look. */
static void look_at_changed(int all, int watched)
{
	for (int i = 0; i < nnests; i++) {
		if (nests[i].gone || !nests[i].ino || (nests[i].fd >= 0 && !watched))
			continue;
		if ((all && nests[i].touched) || nest_changed(i))
			look(i, all);
	}
}

int nest_poll_ms(void)
{
	for (int i = 0; i < nnests; i++)
		if (nests[i].fd < 0 && !nests[i].gone)
			return poll_ms;
	return -1;
}

void nest_poll(void)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	look_at_changed(0, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	long took = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
	poll_ms = POLL_LEAST_MS;
	if (took * POLL_SHARE / 1000 > poll_ms)
		poll_ms = (int)(took * POLL_SHARE / 1000);
}

void nest_look_all(void) { look_at_changed(0, 1); }

#define DEEPEST_NEW 200 /* what lies deeper has its turn afterwards */

static void tell_planted(int i, int fd, const char *path)
{
	struct statx st;
	if (find(fd, ".git", &st) == 0 && !nest_known(&st)) /* known: the host moved it */
		nest_tell(MSG_FOUND, FOUND_PLANTED, i, path);
}

/* new_repositories tells where a .git is, in a directory that the command made. */
static void new_repositories(int i, int dir, const char *name, char *path, size_t len)
{
	static int depth;
	if (depth == DEEPEST_NEW) {
		int c = nest_child(i, path, 0);
		if (c >= 0) {
			nests[c].touched = 1;
			return;
		}
	}
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof how);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	depth++;
	for (struct dirent *e; (e = readdir(d));) {
		size_t n = strlen(e->d_name);
		if (!strcmp(e->d_name, ".git")) {
			path[len] = 0;
			tell_planted(i, fd, path);
		} else if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
			   len + n + 1 < 4000) {
			path[len] = '/';
			memcpy(path + len + 1, e->d_name, n + 1);
			new_repositories(i, fd, e->d_name, path, len + 1 + n);
		}
	}
	depth--;
	closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(nests[*(const int *)a].name, nests[*(const int *)b].name);
}

static int is_named(const void *name, const void *c) { return strcmp(name, nests[*(const int *)c].name); }

/* children lists those of a directory that are the walk's, by name. */
static int *children(int i, size_t *n)
{
	*n = 0;
	for (int c = nests[i].child; c >= 0; c = nests[c].sibling)
		*n += !nests[c].gone;
	int *list = malloc((*n + 1) * sizeof *list), *end = list;
	if (!list)
		return NULL;
	for (int c = nests[i].child; c >= 0; c = nests[c].sibling)
		if (!nests[c].gone)
			*end++ = c;
	qsort(list, *n, sizeof *list, by_name);
	return list;
}

/* look_for_repositories tells of those that the command made in a directory
 * that it found. */
static void look_for_repositories(int i)
{
	char path[4096];
	int fd = own_look(i), list = fd < 0 ? -1 : open_again(fd);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	size_t n;
	int *old = children(i, &n);
	if (fd >= 0 && !nests[i].repository)
		tell_planted(i, fd, "");
	for (struct dirent *e; old && d && (e = readdir(d));) {
		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, ".git") || bsearch(e->d_name, old, n, sizeof *old, is_named))
			continue;
		strcpy(path, e->d_name);
		new_repositories(i, fd, e->d_name, path, strlen(path));
	}
	free(old);
	if (d)
		closedir(d);
	else
		close(list);
	close(fd);
}

void nest_finish(void)
{
	look_at_changed(1, 1);
	for (int i = 0; i < nnests; i++)
		if (nests[i].touched && !nests[i].gone && !nests[i].kind && nest_in_repository(i))
			look_for_repositories(i);
}
