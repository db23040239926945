//go:build linux

/* init: PID 1 of the sandbox. It makes the namespaces ready, takes the plan,
 * starts the command, reaps, passes signals on, and dies with srun. */
#define _GNU_SOURCE
#include "init.h"
#include "message.h"
#include "network.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void give_up(int sock, int stage) __attribute__((noreturn));
static void give_up(int sock, int stage)
{
	tell(sock, MSG_FAILED, errno, stage, failed_what);
	_exit(1);
}

static void tell_ready(int sock, const struct listeners *l)
{
	struct message m = { .type = MSG_READY, .a = (int32_t)l->set };
	if (send_fds(sock, &m, l->fd, l->n) < 0)
		_exit(1);
	for (int i = 0; i < l->n; i++)
		close(l->fd[i]);
}

/* take_plan waits for CTL_PLAN. srun's end closing means that it died or
 * decided otherwise: init goes too. */
static void take_plan(int sock, struct plan *p)
{
	struct message m;
	int fds[5] = { -1, -1, -1, -1, -1 };
	if (receive_fds(sock, &m, fds, 5) < 0 || m.type != CTL_PLAN || plan_map(fds[0], p) < 0)
		_exit(1);
	close(fds[0]);
	for (int i = 0; i < 3; i++)
		p->stdio[i] = fds[1 + i];
	p->ruleset = fds[4];
	p->sock = sock;
}

/* Signals that the whole process group got reach init as well (a terminal's
 * ^C, a job runner's kill of the group); the command then has its own already
 * and srun's copy must not be passed on a second time. */
#define GROUP_WINDOW_MS 500
static int64_t seen_ms[_NSIG];

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void note_signals(int sigfd)
{
	struct signalfd_siginfo si;
	while (read(sigfd, &si, sizeof si) == sizeof si)
		if (si.ssi_signo < _NSIG)
			seen_ms[si.ssi_signo] = now_ms();
}

static void pass_signal(pid_t command, int sig)
{
	if (sig <= 0 || sig >= _NSIG)
		return;
	if (seen_ms[sig] && now_ms() - seen_ms[sig] < GROUP_WINDOW_MS) {
		seen_ms[sig] = 0;
		return;
	}
	kill(command, sig);
}

static int paused;

static void set_paused(int sock, int yes)
{
	paused = yes;
	if (!yes) {
		resume_all();
		return;
	}
	pause_all();
	tell(sock, MSG_PAUSED, 0, 0, NULL);
}

/* reap collects every child; the command's end is init's end, and the kernel
 * then kills what is left in the PID namespace. */
static void reap(int sock, pid_t command)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (pid != command)
			continue;
		if ((WIFSTOPPED(status) || WIFCONTINUED(status)) && paused) {
			continue; /* our own doing */
		} else if (WIFSTOPPED(status)) {
			tell(sock, MSG_STOPPED, WSTOPSIG(status), 0, NULL);
		} else if (WIFCONTINUED(status)) {
			tell(sock, MSG_CONTINUED, 0, 0, NULL);
		} else {
			tell(sock, MSG_EXITED, status, 0, NULL);
			_exit(0);
		}
	}
}

static void supervise(int sock, int sigfd, pid_t command) __attribute__((noreturn));
static void supervise(int sock, int sigfd, pid_t command)
{
	struct pollfd fds[2] = { { .fd = sock, .events = POLLIN }, { .fd = sigfd, .events = POLLIN } };
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (fds[0].revents & (POLLIN | POLLHUP)) {
			struct message m;
			ssize_t n = recv(sock, &m, sizeof m, MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
				_exit(1);
			note_signals(sigfd);
			if (n != sizeof m)
				m.type = 0;
			if (m.type == CTL_SIGNAL)
				pass_signal(command, m.a);
			else if (m.type == CTL_PAUSE)
				set_paused(sock, 1);
			else if (m.type == CTL_HELD)
				tell(sock, MSG_HELD, paused && still_paused(), 0, NULL);
			else if (m.type == CTL_RESUME)
				set_paused(sock, 0);
			else if (m.type == CTL_SOCKET)
				give_socket(sock, m.a);
		}
		/* Last: a SIGCHLD that note_signals took has no other reaper. */
		note_signals(sigfd);
		reap(sock, command);
	}
}

/* prepare is what does not depend on the policy, done while srun's Go half
 * still starts. */
static void prepare(int sock, int how)
{
	struct listeners l = { .n = 0 };
	if (mounts_base() < 0)
		give_up(sock, STAGE_MOUNTS);
	if (!(how & HOST_NETWORK) && network_up(&l) < 0)
		give_up(sock, STAGE_NETWORK);
	tell_ready(sock, &l);
}

static int is_mount(const struct op *op)
{
	switch (op->kind) {
	case OP_FILE:
	case OP_TMP:
	case OP_LAYER:
	case OP_DEVICE:
		return 1;
	}
	return op->kind <= OP_MKFILE;
}

static int apply_mounts(const struct plan *p)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op)) {
		if (op->kind == OP_IF_THERE && !is_there(op)) {
			op = plan_next(p, op); /* OP_END comes last: there is one */
			continue;
		}
		if (is_mount(op) && mount_op(op, op_data(op)) < 0)
			return -1;
	}
	close_host();
	return mounts_done();
}

/* forward_ports hands srun a listener for each port, one message each. */
static int forward_ports(const struct plan *p)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op)) {
		if (op->kind != OP_LISTEN)
			continue;
		int fd = listen_local((int)op->a);
		struct message m = { .type = MSG_FORWARD, .a = (int32_t)op->a };
		if (fd < 0 || send_fds(p->sock, &m, &fd, 1) < 0)
			return fail("listen on a forwarded port");
		close(fd);
	}
	return 0;
}

static int apply_landlock(const struct plan *p)
{
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op))
		if (op->kind == OP_LANDLOCK && landlock_op(p->ruleset, op, op_data(op)) < 0)
			return -1;
	return 0;
}

/* let_go closes what only the command may hold, so that a pipe ends when the
 * command's end of it does. */
static void let_go(int sock, int sigfd)
{
	int low = sock < sigfd ? sock : sigfd, high = sock < sigfd ? sigfd : sock;
	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
}

/* init_main runs in the new namespaces. DIE_WITH_THREAD asks for SIGKILL when
 * the forking thread ends: right only where that thread lives as long as srun
 * (prctl(2), PR_SET_PDEATHSIG); the socket's end serves everywhere. */
void init_main(int sock, int how)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	int sigfd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0 || ((how & DIE_WITH_THREAD) && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0))
		_exit(1);

	struct plan p = { 0 };
	prepare(sock, how);
	take_plan(sock, &p);
	find_stdio(&p);
	if (apply_mounts(&p) < 0 || reopen_stdio(&p) < 0)
		give_up(sock, STAGE_MOUNTS);
	if (forward_ports(&p) < 0)
		give_up(sock, STAGE_NETWORK);
	if (p.ruleset >= 0 && apply_landlock(&p) < 0)
		give_up(sock, STAGE_LANDLOCK);
	if (drop_capabilities() < 0)
		give_up(sock, STAGE_NAMESPACES);

	pid_t command;
	int stage = run_command(&p, &command);
	if (stage == STAGE_COMMAND) {
		tell(sock, MSG_EXEC, errno, 0, failed_what);
		_exit(1);
	}
	if (stage != 0)
		give_up(sock, stage);
	let_go(sock, sigfd);
	tell(sock, MSG_STARTED, command, 0, NULL);
	supervise(sock, sigfd, command);
}
