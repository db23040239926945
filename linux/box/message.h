/* What srun and its helpers inside say to each other. The protocol is drawn in
 * protocol.go; both sides change together. */
#pragma once

#include <stdint.h>

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
	MSG_HELD = 13,     /* a: 1 if nothing has run since MSG_PAUSED */
	MSG_SOCKET = 11,   /* the socket, or a: errno */
	MSG_FORWARD = 9,   /* listeners of OP_LISTEN, in order */
	MSG_REOPENED = 12, /* a: slot of OP_REOPEN; the descriptor that the command gets */
	MSG_BROKER = 8,    /* from the command's process, before execve: the filter's
	                    * notification descriptor; a: it waits killable only */
};

/* Messages from srun to init. */
enum {
	CTL_PLAN = 1,      /* fds: the plan (memfd), stdin, stdout, stderr, Landlock ruleset */
	CTL_SIGNAL = 2,    /* a: signal for the command */
	CTL_PAUSE = 3,     /* stop every process, and say MSG_PAUSED */
	CTL_RESUME = 4,
	CTL_HELD = 7,      /* say MSG_HELD */
	CTL_SOCKET = 6,    /* a: address family; make a TCP socket and send it out */
	CTL_GO = 5,        /* to the command's process: execve */
};

/* Messages from the keeper to srun. */
enum {
	MSG_KEEPING = 20,  /* the list is taken and its directories are watched */
	MSG_BARE = 21,     /* a: number of OP_KEEP, b: errno; the host replaced it and the new
	                    * one cannot be masked */
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

struct message {
	uint32_t type;
	int32_t a;
	int32_t b;
	char text[116];
};

/* A message carries no more descriptors than this. */
#define MAX_FDS 8

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
