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
	                    * notification descriptor; a: it waits killable only */
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

/* Messages from the keeper to srun. */
enum {
	MSG_KEEPING = 20,  /* the list is taken and its directories are watched */
	MSG_BARE = 21,     /* a: number of OP_KEEP, b: errno; the host replaced it and the new
	                    * one cannot be covered */
	MSG_KEPT = 22,     /* init is gone, and the keeper goes too */
};

/* Messages from srun to the keeper. */
enum {
	CTL_KEEP = 30,     /* a: process id of init; fds: the list (memfd), init's user and
	                    * mount namespaces */
	CTL_LOOK = 31,     /* init has made the mounts */
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
	OP_WATCH = 19,     /* of the keeper's list: a directory with something covered */
	OP_KEEP = 20,      /* of the keeper's list: what init covers; slot: its directory,
	                    * counted from 0 in the list's order */
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
};

/* messages.c */

/* A failed step: what it was, for the message. errno says why. */
int fail(const char *what);
extern char failed_what[116];

/* tell sends a message without descriptors to srun. Without srun, init goes. */
void tell(int sock, uint32_t type, int32_t a, int32_t b, const char *text);

/* send_fds sends a message with descriptors to srun. */
int send_fds(int sock, const struct message *m, const int *fds, int n);

/* receive_fds waits for a message of srun's, and takes at most n descriptors that
 * come with it; -1 when there is none, as at the socket's end. */
int receive_fds(int sock, struct message *m, int *fds, int n);

/* is_inode tells whether a descriptor is of the file that an operation names;
 * errno is ESTALE when another has taken its name. */
int is_inode(int fd, const struct op *op);

/* give_socket sends out a TCP socket of init's network namespace, for srun to
 * connect to a published port. */
void give_socket(int sock, int family);

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
int plan_map(int fd, struct plan *plan); /* for good; -1 unless it is complete */
const struct op *plan_next(const struct plan *plan, const struct op *prev);
static inline const char *op_data(const struct op *op) { return (const char *)(op + 1); }

/* keeper.c */
void keeper_main(int sock) __attribute__((noreturn));

/* init.c */
enum { DIE_WITH_THREAD = 1, HOST_NETWORK = 2 };
void init_main(int sock, int how) __attribute__((noreturn));

#endif
