/* What lies deeper than a writable directory itself: the guard walks it once,
 * has srun hold the protected paths that it finds, and removes those that appear
 * later in a directory that was there when the run began. */
#ifndef SRUN_NEST_H
#define SRUN_NEST_H

#include <sys/stat.h>
#include <time.h>

#include "guard.h"

struct nest {
	int parent;         /* -1: a writable directory */
	int child, sibling; /* -1: none */
	int fd;             /* open and watched, or -1; a writable directory's is always open */
	const char *name;
	dev_t dev;
	ino_t ino;
	struct timespec changed; /* its ctime, when it was last looked at */
	uint32_t present;   /* the names that were there when it was scanned, as bits */
	uint8_t kind;       /* 0, or 1 + the number of a part: a ".claude" */
	uint8_t gone;       /* the command made it while the walk went on: not one of ours */
	uint8_t repository; /* it has a .git, or is one */
	uint8_t touched;    /* something changed in it */
};

extern struct nest *nests;
extern int nnests;

/* A protected name: "x", or "part/x" where the part alone is anybody's. */
#define MAX_NAMES 32
struct nest_name {
	const char *name;
	int kind;   /* of the directories that it counts in */
	int shared; /* others may make it, so that srun judges it */
};
extern struct nest_name nest_names[MAX_NAMES];
extern int nnest_names;

/* nest.c: the walk. nest_add takes OP_NEST and OP_NAME; 0, or -1 with errno and
 * failed_what. nest_walk goes on for some microseconds and tells whether it is
 * done. nest_begin: from now on the command runs. */
int nest_add(const struct op *op);
int nest_walk(long us);
void nest_begin(void);

/* NEST_SIGNAL says that something changed in a watched directory, and not in
 * which: of an ordinary signal one is pending and no more, where each of many
 * files that a command makes would queue a real-time one (signal(7)). */
#define NEST_SIGNAL SIGUSR1

/* nestlook.c. nest_look_watched looks where something changed. nest_poll looks at
 * what is not watched; it is called after nest_poll_ms milliseconds (-1: never).
 * nest_finish looks at all that changed, and for repositories that the command
 * made. */
void nest_look_watched(void);
int nest_poll_ms(void);
void nest_poll(void);
void nest_look_all(void);
void nest_finish(void);

/* What the files share. nest_open opens a directory, nest_close closes it again
 * unless it is watched. nest_open_path gives a descriptor (O_PATH) to close. */
int nest_open(int i);
void nest_close(int i, int fd);
int nest_watched_all(void);
int nest_open_path(int i);
int nest_root(int i);
int nest_changed(int i);
void nest_unwatch(int i);
void nest_look(int i);
const char *nest_part_name(int n);
dev_t nest_device(const struct statx *st);
int nest_new(const char *name);
int nest_deny(const char *path); /* the walk leaves it out; nest_denied tells of it */
int nest_denied(int i, const char *name);
int nest_child(int i, const char *name, int kind);
int nest_path(int i, const char *name, char *path, size_t size);
void nest_scan(int i);
void nest_watch(int i, int fd);
int nest_watched(int *fd); /* the next that is, from a descriptor on; -1: none */
int nest_part(const char *name);
int nest_is_new(const struct statx *st);
int nest_known(const struct statx *st);
void nest_tell(uint32_t type, int a, int i, const char *name);
int nest_each(int fd, void (*act)(int i, int fd, const char *name, int type), int i);
int nest_in_repository(int i);

#endif
