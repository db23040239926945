/* Init's steps, in the order in which it takes them. */
#pragma once

#include "plan.h"

#include <sys/types.h>

/* mounts.c */
int mounts_base(void);
int mount_op(const struct op *op, const char *path);

/* is_there tells whether a path is there, as the kind of file that an operation
 * takes it for. What cannot be looked at is. */
int is_there(const struct op *op);

/* close_host lets go of the host's /proc and /dev, when nothing of them is to be
 * shown any more. */
void close_host(void);

/* masks.c */
int mounts_done(void);

/* stdio.c: before the mounts, and after them */
void find_stdio(const struct plan *plan);
int reopen_stdio(struct plan *plan);

/* confine.c */
int drop_capabilities(void);
int landlock_op(int ruleset, const struct op *op, const char *path);
int confine(const struct plan *plan);

/* command.c */
int run_command(const struct plan *plan, pid_t *pid);

/* pause.c */
void pause_all(void);
void resume_all(void);

/* still_paused tells whether nothing has run since pause_all. */
int still_paused(void);
