/*
 * The in-sandbox half of srun ("init"): what the C files share.
 *
 * Init is C, not Go, for three reasons: the command's restrictions must be put
 * on one thread and exec'd from it; a constructor can fork init before the Go
 * runtime starts, so that the kernel makes the namespaces while Go starts; and
 * PID 1 of the sandbox then holds no Go heap with the policy and its secrets.
 *
 * The protocol with the Go half is drawn in protocol.go; both sides change
 * together.
 */
#ifndef SRUN_INIT_H
#define SRUN_INIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Fixed places inside the sandbox's own network namespace. They lie above the
 * default ephemeral range (32768 to 60999), so no client socket takes them. */
#define PROXY_PORT 61080
#define TRANSPARENT_PORT 61081
#define DNS_PORT 53

/* The sandbox's own addresses, in the ranges of the proxy's synthetic answers
 * and below the first that it gives out: 198.18.0.1 and fd5f:7372:756e::1. */
#define OWN_ADDRESS4 { 198, 18, 0, 1 }
#define OWN_ADDRESS6 { 0xfd, 0x5f, 0x73, 0x72, 0x75, 0x6e, [15] = 1 }

/* Messages from init to srun. */
enum {
	MSG_READY = 1,     /* namespaces stand; a: set of LISTEN_* sent as fds */
	MSG_FAILED = 2,    /* a: errno, b: stage, text: what failed */
	MSG_STARTED = 3,   /* the command runs */
	MSG_EXEC = 4,      /* a: errno of execve; the command never ran */
	MSG_STOPPED = 5,   /* a: signal that stopped the command */
	MSG_CONTINUED = 6,
	MSG_EXITED = 7,    /* a: wait status as in wait(2) */
	MSG_PAUSED = 10,
	MSG_SOCKET = 11,   /* the socket, or a: errno */
	MSG_FORWARD = 9,   /* listeners of OP_LISTEN, in order */
	MSG_LENT = 12,     /* a: slot of OP_LEND; the descriptor that the command gets */
	MSG_BROKER = 8,    /* from the command's process, before execve: the filter's
	                    * notification descriptor */
};

/* Messages from srun to init. */
enum {
	CTL_PLAN = 1,      /* fds: the plan (memfd), stdin, stdout, stderr, Landlock ruleset */
	CTL_SIGNAL = 2,    /* a: signal for the command */
	CTL_PAUSE = 3,     /* stop every process, and say MSG_PAUSED */
	CTL_RESUME = 4,
	CTL_SOCKET = 6,    /* a: address family; make a TCP socket and send it out */
	CTL_GO = 5,        /* to the command's process: execve */
};

/* Messages from the guard to srun; numbers are of OP_ABSENT. */
enum {
	MSG_GUARDING = 20, /* the list is taken and nothing of it is there */
	MSG_EXPELLED = 21, /* a: number; it was there and is removed */
	MSG_STUCK = 22,    /* a: number, b: errno; it was there and cannot be removed */
	MSG_APPEARED = 23, /* a: number; it is there and srun's to deal with */
	MSG_UNHELD = 25,   /* a: number of OP_HELD, b: errno; the host replaced it and the
	                    * new one cannot be held */
	MSG_FINISHED = 24, /* the last look is over; the guard ends */
	MSG_FOUND = 26,    /* a: FOUND_*; a path follows the message */
	MSG_NESTED = 27,   /* a: 0 or errno; a protected path that follows was there and is
	                    * removed, or cannot be */
	MSG_HELD = 28,     /* what CTL_MORE listed is held */
};

/* What the guard found below a writable directory. */
enum {
	FOUND_NAME = 1,       /* a protected path, to be held */
	FOUND_CHANGED = 2,    /* the same, and somebody changed it since the command runs */
	FOUND_REPOSITORY = 3, /* a directory with a .git, or a bare repository */
	FOUND_SHARED = 4,     /* a protected path appeared that srun judges */
	FOUND_PLANTED = 5,    /* at the end: a .git in this directory is new, in a repository */
};

/* Messages from srun to the guard. */
enum {
	CTL_GUARD = 30,    /* a: process id of init; fds: the list (memfd), init's user
	                    * and mount namespaces */
	CTL_SETTLED = 31,  /* a: number; what appeared is dealt with */
	CTL_EXPEL = 33,    /* a: number; remove it */
	CTL_MORE = 34,     /* fd: another list (memfd), of what is to be held from now on */
	CTL_FINISH = 32,   /* the sandbox has ended: look a last time */
};

/* Which protection a failure belongs to, for MSG_FAILED. */
enum {
	STAGE_NAMESPACES = 1,
	STAGE_MOUNTS = 2,
	STAGE_NETWORK = 3,
	STAGE_LANDLOCK = 4,
	STAGE_SECCOMP = 5,
	STAGE_COMMAND = 6,
};

/* Operations of a plan, in protocol.go's order. */
enum {
	OP_CLONE = 1,      /* path -> slot: detached copy of the mounts at path;
	                    * a: inode and b: device that it must have, or 0 */
	OP_READONLY = 2,   /* path: it becomes read-only; unless b, so does every mount below */
	OP_WRITABLE = 3,   /* path: this mount, one of init's own, becomes writable again */
	OP_ATTACH = 4,     /* slot -> path: put the copy there */
	OP_PIN = 5,        /* path: bind on itself, so that it cannot be renamed */
	OP_SEAL = 6,       /* path: bind on itself read-only, with all below; b: 1 for a file */
	OP_HIDE = 7,       /* path: cover by something empty; a: mode; b: 1 for a file;
	                    * slot: 1 to leave it writable for OP_MKDIR and OP_MKFILE */
	OP_MKDIR = 8,      /* path: in a cover, so that something can be attached */
	OP_MKFILE = 9,
	OP_FILE = 17,      /* path NUL content: cover a file by this one */
	OP_HOLD = 22,      /* path of a symbolic link: it cannot be replaced */
	OP_LISTEN = 18,    /* a: port on the sandbox's 127.0.0.1 that srun accepts on */
	OP_LEND = 32,      /* path of what is standard descriptor slot: the command gets it
	                    * anew, on a read-only mount; a, b: as OP_CLONE */
	OP_WITHHOLD = 23,  /* a: descriptor of a pipe that does not go on to the command */
	OP_LANDLOCK = 10,  /* path: one of init's own mounts; a: access rights */
	OP_SECCOMP = 11,   /* data: a classic BPF program; b: 1 for the one that notifies */
	OP_TRACED = 28,    /* srun attaches to the command's process before it runs */
	OP_CHDIR = 12,     /* a, b: as OP_CLONE */
	OP_ARG = 13,
	OP_ENV = 14,
	OP_SEARCH = 15,    /* PATH to look the command up in */
	OP_ROOT = 19,      /* of the guard's list: a writable directory; a, b: as OP_CLONE */
	OP_BELOW = 20,     /* name; slot: the directory it is in, counted from 0 in the
	                    * list's order; a: number of a denied path below */
	OP_ABSENT = 21,    /* name that must not be; slot: its directory; a: number;
	                    * b: 1 when srun deals with it */
	OP_NEAR = 24,      /* of the guard's list: as OP_ROOT, a directory with something
	                    * held; one that cannot be opened is left alone */
	OP_HELD = 25,      /* path that init covered or sealed; slot: its directory; a: inode
	                    * and b: device of what it was */
	OP_HELD_HIDDEN = 26, /* the same, of what is hidden and not sealed */
	OP_HELD_PINNED = 27, /* the same, of a directory that is pinned */
	OP_HELD_ENTRY = 31, /* the same, of a directory or link that may not be moved */
	OP_NEST = 29,      /* of the guard's list: a writable directory, to be walked; b: 1 when
	                    * a repository is at or above it */
	OP_NAME = 30,      /* of the guard's list: a name that is protected at any depth, or two
	                    * with a slash; b: 1 when srun deals with it */
	OP_END = 16,       /* last: a plan without it was cut short and is refused */
};

struct message {
	uint32_t type;
	int32_t a;
	int32_t b;
	char text[116];
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

#define MAX_LISTENERS 8
struct listeners {
	int fd[MAX_LISTENERS];
	int n;
	uint32_t set;
};
enum { /* in the order the descriptors are sent */
	LISTEN_PROXY = 1,
	LISTEN_TRANSPARENT4 = 2,
	LISTEN_TRANSPARENT6 = 4,
	LISTEN_DNS4 = 8,
	LISTEN_DNS6 = 16,
	LISTEN_DNSTCP4 = 32,
	LISTEN_DNSTCP6 = 64,
	LISTEN_DIAG = 128, /* no listener: a socket that lists the sandbox's Unix sockets */
};

/* A failed step: what it was, for the message. errno says why. */
int fail(const char *what);

/* is_inode tells whether a descriptor is of the file that an operation names;
 * errno is ESTALE when another has taken its name. */
int is_inode(int fd, const struct op *op);

/* give_socket sends out a TCP socket of init's network namespace, for srun to
 * connect to a published port. */
void give_socket(int sock, int family);

/* send_fds sends a message with descriptors to srun. */
int send_fds(int sock, const struct message *m, const int *fds, int n);
extern char failed_what[116];

/* mounts.c */
int mounts_base(void);
int mount_op(const struct op *op, const char *path);
int mounts_done(void);

/* lend.c: before the mounts, and after them */
void find_lent(const struct plan *plan);
int lend_files(struct plan *plan);

/* network.c */
int network_up(struct listeners *out);
int listen_local(int port);

/* confine.c */
int drop_capabilities(void);
int landlock_op(int ruleset, const struct op *op, const char *path);
int confine(const struct plan *plan);

/* command.c */
int run_command(const struct plan *plan, pid_t *pid);
void remember_inherited(void);

/* pause.c */
void pause_all(void);
void resume_all(void);

/* plan.c */
int plan_complete(const struct plan *plan);
const struct op *plan_next(const struct plan *plan, const struct op *prev);
static inline const char *op_data(const struct op *op) { return (const char *)(op + 1); }

/* init.c */
enum { DIE_WITH_THREAD = 1, HOST_NETWORK = 2 };
void init_main(int sock, int how) __attribute__((noreturn));

#endif
