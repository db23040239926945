//go:build linux

/* The guard's life. It is one thread without Go, in a session of its own: what
 * kills srun, or keeps srun from making threads, does not touch it. */
#define _GNU_SOURCE
#include "guard.h"
#include "nest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POLL_MS 50 /* for directories that cannot be watched */

static int srun = -1; /* the socket; -1 once srun is gone */
static int changed = -1; /* a signalfd */
static int nested = -1; /* another, for NEST_SIGNAL */
static int64_t quiet_until; /* in microseconds; nested is not looked at before */
static int walked; /* all that lies below the writable directories */

static int tell(uint32_t type, int32_t a, int32_t b, const char *text)
{
	struct message m = { .type = type, .a = a, .b = b };
	if (text)
		snprintf(m.text, sizeof m.text, "%s", text);
	return send(srun, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* A report that finds srun's queue full is dropped: the path is gone anyway. */
void guard_expelled(int number) { tell(MSG_EXPELLED, number, 0, NULL); }
void guard_stuck(int number, int err) { tell(MSG_STUCK, number, err, NULL); }
void guard_unheld(int number, int err) { tell(MSG_UNHELD, number, err, NULL); }

/* What was found is waited for: srun reads all the time. */
void guard_tell_path(uint32_t type, int a, const char *path)
{
	char buf[sizeof(struct message) + 4096];
	struct message m = { .type = type, .a = a };
	size_t n = strlen(path);
	if (srun < 0 || n > 4096)
		return;
	memcpy(buf, &m, sizeof m);
	memcpy(buf + sizeof m, path, n);
	send(srun, buf, sizeof m + n, MSG_NOSIGNAL | (type == MSG_FOUND ? 0 : MSG_DONTWAIT));
}

int guard_is_alone(void) { return srun < 0; }

int guard_appeared(int number)
{
	if (srun < 0)
		return 0;
	if (tell(MSG_APPEARED, number, 0, NULL) == 0)
		return 1;
	return errno == EAGAIN ? -1 : 0; /* srun is gone, and poll(2) will say so */
}

/* Root's guard removes what root without capabilities could, as the command is:
 * it can give a denied name to what it has no right to remove. Looking stays. */
static void give_up_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t drop = 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER;
	if (syscall(SYS_capget, &head, caps) < 0)
		_exit(1);
	caps[0].effective &= ~drop;
	caps[0].permitted &= ~drop;
	if (syscall(SYS_capset, &head, caps) < 0)
		_exit(1);
}

/* detach leaves everything that srun's caller shares with it. */
static void detach(void)
{
	setsid();
	give_up_capabilities();
	prctl(PR_SET_NAME, "srun-guard");
	close_range(3, srun - 1, 0);
	close_range(srun + 1, ~0U, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	if (null > 2)
		close(null);
	if (chdir("/") < 0)
		_exit(1);
}

#define LIST_FDS 3

static ssize_t next_message(struct message *m, int *fds)
{
	struct iovec iov = { m, sizeof *m };
	union { char buf[CMSG_SPACE(LIST_FDS * sizeof *fds)]; struct cmsghdr align; } u = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof u.buf };
	ssize_t n;
	do
		n = recvmsg(srun, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	for (int i = 0; i < LIST_FDS; i++)
		fds[i] = -1;
	if (n > 0 && c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return n;
}

/* map_list maps a list for good: names stay where they are. */
static int map_list(int fd, struct plan *list)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -1;
	list->size = st.st_size;
	list->base = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return list->base == MAP_FAILED || !plan_complete(list) ? -1 : 0;
}

#define WALK_US 500 /* of walking before the command runs; init takes longer for its mounts */
#define SLICE_US 100   /* and afterwards between two looks */

/* take_list waits for CTL_GUARD; returns a descriptor of init. */
static int take_list(struct plan *list)
{
	struct message m;
	int fds[LIST_FDS];
	if (next_message(&m, fds) != sizeof m || m.type != CTL_GUARD || fds[2] < 0)
		_exit(0); /* nothing to guard, or nobody to guard it for */
	held_namespaces(fds[1], fds[2]);
	if (map_list(fds[0], list) < 0)
		_exit(1);
	int init = syscall(SYS_pidfd_open, m.a, 0);
	if (init < 0 || guard_list(list) < 0 || guard_look(1) < 0) {
		tell(MSG_FAILED, errno, STAGE_MOUNTS, init < 0 ? "find init" : failed_what);
		_exit(1);
	}
	held_already();
	walked = nest_walk(WALK_US);
	nest_begin();
	tell(MSG_GUARDING, 0, 0, NULL);
	guard_look(0);
	return init;
}

/* take_more holds what srun made of what was found. */
static void take_more(int fd)
{
	struct plan list = { 0 };
	if (map_list(fd, &list) < 0 || guard_list(&list) < 0) {
		tell(MSG_FAILED, errno, STAGE_MOUNTS, failed_what[0] ? failed_what : "take what to hold");
		_exit(1);
	}
	held_new();
	guard_look(0);
	tell(MSG_HELD, 0, 0, NULL);
}

static void finish(void) __attribute__((noreturn));
/* finish looks a last time, where the walk has been: in a big tree it takes
 * longer than a short command does. */
static void finish(void)
{
	guard_look(0);
	nest_finish();
	if (srun >= 0)
		tell(MSG_FINISHED, 0, 0, NULL);
	_exit(0);
}

/* obey does what srun says; an end of file is srun's own end. */
static void obey(const int *init)
{
	struct message m;
	int fds[LIST_FDS];
	ssize_t n = next_message(&m, fds);
	if (n <= 0) {
		close(srun);
		srun = -1;
		guard_alone();
		guard_look(0);
		if (*init < 0)
			finish();
	} else if (m.type == CTL_SETTLED) {
		if (guard_settled(m.a))
			guard_look(0);
	} else if (m.type == CTL_EXPEL) {
		guard_expel(m.a);
	} else if (m.type == CTL_MORE && fds[0] >= 0) {
		take_more(fds[0]);
	} else if (m.type == CTL_FINISH) {
		finish();
	}
}

/* end_watch: nobody is left who could make anything. What is srun's to deal
 * with still needs the two of them, until CTL_FINISH. */
static void end_watch(void)
{
	guard_look(0);
	if (srun < 0 || !guard_waits())
		finish();
}

#define MAX_CHANGED 64 /* directories looked at one by one */
#define MAX_SIGNALS 4096 /* taken before a look: somebody may be making more all the time */

#define QUIET_US 500
#define QUIET_SHARE 3 /* of the time that a look takes */
#define QUIET_MOST_US 3000

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* look_nested rests after each look: a command may make thousands of files. */
static void look_nested(void)
{
	struct signalfd_siginfo si;
	int64_t begun = now_us();
	if (begun < quiet_until || read(nested, &si, sizeof si) != sizeof si)
		return;
	nest_look_watched();
	int64_t took = now_us() - begun;
	int64_t quiet = took * QUIET_SHARE > QUIET_US ? took * QUIET_SHARE : QUIET_US;
	quiet_until = begun + took + (quiet < QUIET_MOST_US ? quiet : QUIET_MOST_US);
}

/* look_where takes all signals of changed directories first, so that each look
 * comes after what it was called for; returns 1 when everything has to be looked
 * at. */
static int look_where(void)
{
	struct signalfd_siginfo si;
	int fds[MAX_CHANGED], n = 0, all = 0;
	look_nested();
	for (int taken = 0; taken < MAX_SIGNALS && read(changed, &si, sizeof si) == sizeof si; taken++) {
		int known = si.ssi_signo != (uint32_t)GUARD_SIGNAL;
		for (int i = 0; i < n && !known; i++)
			known = fds[i] == si.ssi_fd;
		if (!known && n < MAX_CHANGED)
			fds[n++] = si.ssi_fd;
		else if (!known || si.ssi_signo == SIGIO)
			all = 1;
	}
	if (all)
		nest_look_all();
	for (int i = 0; i < n && !all; i++)
		all = guard_look_at(fds[i]) < 0;
	return all;
}

void guard_breathe(void)
{
	struct message m;
	const int none = -1;
	if (look_where() || guard_polls())
		guard_look(0);
	if (recv(srun, &m, sizeof m, MSG_PEEK | MSG_DONTWAIT) == sizeof m && (m.type == CTL_SETTLED || m.type == CTL_EXPEL))
		obey(&none);
}

/* walk_on goes on with the walk. Without the yield the end of the sandbox's
 * namespaces, in the kernel, would wait for a tick of this processor (RCU). */
static void walk_on(void)
{
	walked = nest_walk(SLICE_US);
	sched_yield();
}

static int wait_ms(void)
{
	int ms = guard_polls() ? POLL_MS : -1, nests = nest_poll_ms();
	int64_t quiet = quiet_until - now_us();
	if (!walked)
		return 0;
	if (quiet > 0 && (ms < 0 || quiet / 1000 < ms))
		ms = (int)(quiet / 1000) + 1;
	return ms < 0 || (nests >= 0 && nests < ms) ? nests : ms;
}

static void poll_nests(struct timespec *last)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - last->tv_sec) * 1000 + (now.tv_nsec - last->tv_nsec) / 1000000 < nest_poll_ms())
		return;
	*last = now;
	nest_poll();
}

void guard_main(int sock)
{
	srun = sock;
	detach();
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, NEST_SIGNAL);
	nested = signalfd(-1, &one, SFD_CLOEXEC | SFD_NONBLOCK);
	sigdelset(&all, NEST_SIGNAL);
	changed = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	struct plan list = { 0 };
	int init = take_list(&list);
	struct timespec polled = { 0 };
	for (;;) {
		struct pollfd fds[4] = { { .fd = changed, .events = POLLIN }, { .fd = srun, .events = POLLIN },
			{ .fd = init, .events = POLLIN }, { .fd = now_us() < quiet_until ? -1 : nested, .events = POLLIN } };
		int n = poll(fds, 4, wait_ms());
		if (look_where() || (n == 0 && guard_polls()))
			guard_look(0);
		if (!walked)
			walk_on();
		else if (nest_poll_ms() >= 0)
			poll_nests(&polled);
		if (fds[1].revents)
			obey(&init);
		if (fds[2].revents) {
			end_watch();
			init = -1;
		}
	}
}
