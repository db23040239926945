/* The guard: a process outside the sandbox that keeps denied paths from
 * existing that did not when the run began. What the C files of it share. */
#ifndef SRUN_GUARD_H
#define SRUN_GUARD_H

#include <signal.h>

#include "init.h"

/* guard_main waits for its list on the socket and then keeps to it until srun
 * says that the run is over, or srun and init are both gone. */
void guard_main(int sock) __attribute__((noreturn));

/* guard_list reads the list: OP_ROOT and all after it. 0, or -1 with errno and
 * failed_what. */
int guard_list(const struct plan *list);

/* guard_look looks at every name of the list once, and removes what is there.
 * With check it removes nothing and fails instead. */
int guard_look(int check);

/* guard_look_at looks at what a watched directory has to do with; -1 when that
 * is not enough. */
int guard_look_at(int fd);
#define GUARD_SIGNAL (SIGRTMIN + 1)

/* What guard_look tells, by the list's own numbers. expelled and stuck are
 * about a path that was there; appeared leaves it to somebody else, unless it
 * returns 0. */
void guard_expelled(int number);
void guard_stuck(int number, int err);
void guard_unheld(int number, int err);
int guard_appeared(int number);

/* guard_tell_path tells of a path that is on no list. */
void guard_tell_path(uint32_t type, int a, const char *path);

/* guard_settled: somebody else has dealt with what appeared. It returns 1 when
 * more happened there in the meantime. */
int guard_settled(int number);

/* guard_alone: there is nobody else any more. */
void guard_alone(void);

/* guard_is_alone tells whether guard_alone was called. */
int guard_is_alone(void);

/* guard_waits tells whether something is there that somebody else deals with. */
int guard_waits(void);

/* guard_expel removes what is there under a number. */
void guard_expel(int number);

/* guard_polls tells whether a directory cannot be watched and has to be polled. */
int guard_polls(void);

/* held.c: what init covered or sealed and the host may replace. held_allocate
 * makes room; held_look holds again what is another file now. */
int held_allocate(int n);
void held_add(const struct op *op, int first);
void held_look(int directory, int fd);
/* held_new holds what was added since the last time. */
void held_new(void);
void held_already(void); /* init did */
/* held_is tells whether a file is held: it is nobody's to remove. */
int held_is(dev_t dev, ino_t ino);
void held_namespaces(int user, int mount);

/* guard_breathe looks at what changed while something is being removed. */
void guard_breathe(void);

/* remove_all removes a name and all below it, by descriptors alone: no link is
 * ever followed. */
int remove_all(int dir, const char *name);

/* open_again opens a directory once more. A duplicate will not do: when it is
 * closed, so is the watch on the directory (filp_close in the kernel's
 * fs/open.c). */
int open_again(int dir);

/* open_up gives the owner all rights to a directory; 0, or -1. */
int open_up(int dir, const char *name);

#endif
