/* The plan, as protocol.go and encode.go lay it out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Operations of a plan, in protocol.go's order. */
enum {
	OP_CLONE = 1,      /* path -> slot: detached copy of the mounts at path;
	                    * a: inode and b: device that it must have, or 0 */
	OP_READONLY = 2,   /* path: it becomes read-only; unless b, so does every mount below */
	OP_WRITABLE = 3,   /* path: this mount, one of init's own, becomes writable again */
	OP_ATTACH = 4,     /* slot -> path: put the copy there */
	OP_PIN = 5,        /* path: bind on itself, so that it cannot be renamed */
	OP_BIND_RO = 6,    /* path: bind on itself read-only, with all below; b: 1 for a file */
	OP_MASK = 7,       /* path: mask by something empty; a: mode; b: 1 for a file;
	                    * slot: 1 to leave it writable for OP_MKDIR and OP_MKFILE */
	OP_MKDIR = 8,      /* path: in a mask, so that something can be attached; b: 1 where it may
	                    * be there */
	OP_MKFILE = 9,
	OP_FILE = 17,      /* path NUL content: mask a file by this one */
	OP_TMP = 33,       /* path: mask it by an empty directory in memory, to be written */
	OP_LAYER = 34,     /* path NUL upper NUL work -> slot: a layer over path, or
	                    * something empty where that cannot be */
	OP_DEVICE = 36,    /* path NUL the host's path: a device, or a directory of some, at path */
	OP_IF_THERE = 35,  /* path: the next one is left out unless this is there; b: 1 for a file */
	OP_LISTEN = 18,    /* a: port on the sandbox's 127.0.0.1 that srun accepts on */
	OP_REOPEN = 32,    /* path of what is standard descriptor slot: the command gets it
	                    * anew, on a read-only mount; a, b: as OP_CLONE */
	OP_WITHHOLD = 23,  /* a: descriptor of a pipe that does not go on to the command */
	OP_LANDLOCK = 10,  /* path: one of init's own mounts; a: access rights */
	OP_SECCOMP = 11,   /* data: a classic BPF program; b: 1 for the one that notifies */
	OP_TRACED = 28,    /* srun attaches to the command's process before it runs */
	OP_CHDIR = 12,     /* a, b: as OP_CLONE */
	OP_ARG = 13,
	OP_ENV = 14,
	OP_SEARCH = 15,    /* PATH to look the command up in */
	OP_WATCH = 19,     /* of the keeper's list: a directory with something masked */
	OP_KEEP = 20,      /* of the keeper's list: what init masks; slot: its directory,
	                    * counted from 0 in the list's order; b: 1 where a link in its place hides
	                    * nothing */
	OP_END = 16,       /* last: a plan without it was cut short and is refused */
};

/* One operation of a plan; len bytes and a NUL follow, padded to 8. */
struct op {
	uint32_t kind;
	uint32_t slot;
	uint64_t a;
	uint32_t b;
	uint32_t len;
};

struct plan {
	const char *base;
	size_t size;
	int stdio[3];
	int ruleset;       /* Landlock ruleset, or -1 */
	int sock;          /* to srun */
};

int plan_complete(const struct plan *plan);
int plan_map(int fd, struct plan *plan); /* for good; -1 unless it is complete */
const struct op *plan_next(const struct plan *plan, const struct op *prev);
static inline const char *op_data(const struct op *op) { return (const char *)(op + 1); }

/* is_inode tells whether a descriptor is of the file that an operation names;
 * errno is ESTALE when another has taken its name. */
int is_inode(int fd, const struct op *op);
