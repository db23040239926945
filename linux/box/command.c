//go:build linux

/* Starting the command: the last steps in the child, and execve. */
#define _GNU_SOURCE
#include "init.h"
#include "message.h"
#include "steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Pipes that srun was started with beyond stdio are the caller's explicit gift
 * (process substitution, make's job server) and go on to the command. Anything
 * else could be an authority that leaked: a socket, a directory, a device. */
#define MAX_GIFTS 64
static int gifts[MAX_GIFTS];
static int ngifts;
static sigset_t original_mask;

void remember_inherited(void)
{
	sigprocmask(SIG_SETMASK, NULL, &original_mask);
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	struct stat st;
	while (d && (e = readdir(d)) && ngifts < MAX_GIFTS) {
		int fd = atoi(e->d_name);
		if (fd > 2 && fd != dirfd(d) && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
			gifts[ngifts++] = fd;
	}
	if (d)
		closedir(d);
}

static int withheld(const struct plan *p, int fd)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op))
		if (op->kind == OP_WITHHOLD && (int)op->a == fd)
			return 1;
	return 0;
}

static int place_stdio(const struct plan *p)
{
	for (int i = 0; i < 3; i++) {
		if (dup2(p->stdio[i], i) < 0)
			return -1;
	}
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < ngifts; i++)
		if (!withheld(p, gifts[i]))
			fcntl(gifts[i], F_SETFD, 0);
	return 0;
}

static size_t count(const struct plan *p, uint32_t kind)
{
	size_t n = 0;
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op))
		n += op->kind == kind;
	return n;
}

static char **collect(const struct plan *p, uint32_t kind)
{
	char **list = calloc(count(p, kind) + 1, sizeof *list);
	char **next = list;
	for (const struct op *op = plan_next(p, NULL); list && op; op = plan_next(p, op))
		if (op->kind == kind)
			*next++ = (char *)op_data(op);
	return list;
}

static const struct op *first(const struct plan *p, uint32_t kind)
{
	const struct op *op = plan_next(p, NULL);
	while (op && op->kind != kind)
		op = plan_next(p, op);
	return op;
}

static int enter_dir(const struct op *op)
{
	int fd = open(op_data(op), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int r = is_inode(fd, op) ? fchdir(fd) : -1;
	close(fd);
	return r;
}

/* run_script is what execvp(3) does with a file that has no interpreter line. */
static void run_script(const char *path, char **argv, char **envp)
{
	size_t n = 0;
	while (argv[n])
		n++;
	char **args = calloc(n + 2, sizeof *args);
	if (!args)
		return;
	args[0] = "/bin/sh";
	args[1] = (char *)path;
	for (size_t i = 1; i < n; i++)
		args[i + 1] = argv[i];
	execve("/bin/sh", args, envp);
	errno = ENOEXEC;
}

static void try_exec(const char *path, char **argv, char **envp)
{
	execve(path, argv, envp);
	if (errno == ENOEXEC)
		run_script(path, argv, envp);
}

/* search_exec looks the name up as execvp(3) does, inside the sandbox: a file
 * that may not be run is remembered, and the search goes on. */
static void search_exec(const char *name, const char *dirs, char **argv, char **envp)
{
	char path[4096];
	int denied = 0;
	if (strchr(name, '/')) {
		try_exec(name, argv, envp);
		return;
	}
	for (const char *d = dirs; d; ) {
		const char *colon = strchr(d, ':');
		int n = colon ? (int)(colon - d) : (int)strlen(d);
		int len = snprintf(path, sizeof path, "%.*s%s%s", n, d, n ? "/" : "", name);
		d = colon ? colon + 1 : NULL;
		if (len >= (int)sizeof path)
			continue;
		struct stat st;
		try_exec(path, argv, envp);
		if (errno == EACCES && (stat(path, &st) < 0 || S_ISDIR(st.st_mode)))
			continue;
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP && errno != ENAMETOOLONG)
			return;
	}
	errno = denied ? EACCES : ENOENT;
}

/* wait_for_go waits until srun watches what has to be watched. Init itself
 * reads the socket again after execve only. */
static int wait_for_go(int sock)
{
	struct message m;
	ssize_t n;
	do
		n = recv(sock, &m, sizeof m, 0);
	while (n < 0 && errno == EINTR);
	if (n == sizeof m && m.type == CTL_GO)
		return 0;
	if (n >= 0)
		errno = EPROTO;
	return -1;
}

static int become_command(const struct plan *p)
{
	if (place_stdio(p) < 0) {
		fail("place standard input and output");
		return STAGE_NAMESPACES;
	}
	char **argv = collect(p, OP_ARG), **envp = collect(p, OP_ENV);
	const struct op *dir = first(p, OP_CHDIR), *path = first(p, OP_SEARCH);
	if (!argv || !envp || !argv[0]) {
		errno = EINVAL;
		fail("read the command");
		return STAGE_COMMAND;
	}
	if (dir && enter_dir(dir) < 0) {
		fail("enter the working directory");
		return STAGE_NAMESPACES;
	}
	/* An undumpable process cannot be attached to. There is nobody else inside
	 * yet, and execve(2) leaves nothing of init's memory. */
	if (first(p, OP_TRACED) && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) {
		fail("let srun trace the command");
		return STAGE_NAMESPACES;
	}
	int stage = confine(p);
	if (stage)
		return stage;
	if (wait_for_go(p->sock) < 0) {
		fail("wait for srun");
		return STAGE_NAMESPACES;
	}
	sigprocmask(SIG_SETMASK, &original_mask, NULL);
	search_exec(argv[0], path ? op_data(path) : NULL, argv, envp);
	fail(argv[0]);
	return STAGE_COMMAND;
}

struct verdict { int stage, err; char what[116]; };

/* run_command returns 0 once the command runs, else the stage that failed with
 * errno set. The pipe closes on execve; what it carries is the failure. */
int run_command(const struct plan *p, pid_t *pid)
{
	int pipe_fd[2];
	if (pipe2(pipe_fd, O_CLOEXEC) < 0) {
		fail("make a pipe");
		return STAGE_NAMESPACES;
	}
	*pid = fork();
	if (*pid < 0) {
		fail("fork");
		return STAGE_NAMESPACES;
	}
	struct verdict v = { 0 };
	if (*pid == 0) {
		v.stage = become_command(p);
		v.err = errno;
		memcpy(v.what, failed_what, sizeof v.what);
		_exit(write(pipe_fd[1], &v, sizeof v) < 0 ? 125 : 126);
	}
	close(pipe_fd[1]);
	ssize_t n;
	do
		n = read(pipe_fd[0], &v, sizeof v);
	while (n < 0 && errno == EINTR);
	close(pipe_fd[0]);
	if (n == 0)
		return 0;
	memcpy(failed_what, v.what, sizeof failed_what);
	errno = v.err;
	return v.stage ? v.stage : STAGE_NAMESPACES;
}
