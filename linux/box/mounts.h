/* What the files that mount share: the calls of the new mount API, relative to
 * descriptors. */
#pragma once

#include "plan.h"

#include <sys/types.h>

/* glibc's sys/mount.h and linux/mount.h cannot both be included everywhere. */
extern int mount(const char *, const char *, const char *, unsigned long, const void *);
extern int umount2(const char *, int);
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_REC
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#define MS_REC 16384
#define MS_PRIVATE (1 << 18)
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* own.c: put_tmpfs mounts an empty directory in memory over a path; layer_over
 * returns a detached layer over a path, with two more paths behind it. */
int put_tmpfs(const char *path);
int layer_over(const char *path, size_t len);

/* open_exact opens a path that srun resolved already: a symbolic link on the
 * way was put there since, and following it would restrict the wrong place. */
int open_exact(const char *path);
int open_exact_at(int dir, const char *path);

/* open_host is the same in the host's tree, also below /proc and /dev, until
 * close_host (steps.h). */
int open_host(const char *path);

/* clone_tree returns a detached copy of the mounts at a descriptor, clone_path
 * of those at a path. */
int clone_tree(int fd);
int clone_path(const char *path);

/* attach puts a detached copy over a path. */
int attach(int tree, const char *path);

/* bind_on_itself makes a path a mount point, with MOUNT_ATTR_* flags. */
int bind_on_itself(const char *path, uint64_t set);

int set_flags(int fd, const char *path, unsigned int at, uint64_t set, uint64_t clear);
int make_file(const char *path, mode_t mode);

/* attach_at puts a detached copy over what a descriptor is of. */
int attach_at(int tree, int at);

/* masks.c */
extern int masks;
int make_masks(void);
int copy_mask(const char *name);
int mask(const struct op *op, const char *path);

/* open_masks finds the masks of a sandbox that stands already. */
int open_masks(void);

/* whole.c: copy_from_whole returns a detached copy of the mount at a file, -1 where
 * that takes another way. */
int copy_from_whole(int at, const char *path);
