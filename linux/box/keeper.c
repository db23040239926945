//go:build linux

/* The keeper: most programs write a file by renaming a new one over it, and the
 * kernel then takes every mount on the old one away, in the sandbox too. So a
 * process outside of the sandbox's process ids, in its user and mount namespace
 * (who made a user namespace may join it, user_namespaces(7)), masks again what
 * the host replaced. It sees what the command would see, and does no more than
 * mount an empty mask there. It watches by directory notification (fcntl(2),
 * F_NOTIFY): closing an inotify descriptor takes 5 to 15 ms, at the end of every
 * run. */
#define _GNU_SOURCE
#include "init.h"
#include "message.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANGED (SIGRTMIN + 1)
#define POLL_MS 50 /* for what cannot be watched */
#define LIST_FDS 3

static int srun = -1, ready; /* ready: init has made the mounts */
static struct kept { const char *path; int fd, layered; } *kept; /* fd: of its directory, or -1 */
static int nkept, *directories, ndirectories, polls;

static void say(uint32_t type, int a, int b)
{
	struct message m = { .type = type, .a = a, .b = b };
	if (send(srun, &m, sizeof m, MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* detach leaves everything that srun's caller shares with it. */
static void detach(void)
{
	setsid();
	prctl(PR_SET_NAME, "srun-keeper");
	prctl(PR_SET_DUMPABLE, 0);
	close_range(3, srun - 1, 0);
	close_range(srun + 1, ~0U, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	if (null > 2)
		close(null);
}

/* watch opens a directory in the host's tree, where nothing is masked yet. */
static int watch(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fcntl(fd, F_SETSIG, CHANGED) == 0 && fcntl(fd, F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT) == 0)
		return fd;
	close(fd);
	polls = 1;
	return -1;
}

static int take_list(int fd)
{
	struct plan list = { 0 };
	if (plan_map(fd, &list) < 0)
		return -1;
	size_t most = list.size / sizeof(struct op);
	kept = calloc(most, sizeof *kept);
	directories = calloc(most, sizeof *directories);
	if (!kept || !directories)
		return -1;
	for (const struct op *op = plan_next(&list, NULL); op; op = plan_next(&list, op)) {
		if (op->kind == OP_WATCH)
			directories[ndirectories++] = watch(op_data(op));
		else if (op->kind == OP_KEEP && op->slot < (uint32_t)ndirectories)
			kept[nkept++] = (struct kept){ .path = op_data(op), .fd = directories[op->slot], .layered = (int)op->b };
	}
	return 0;
}

/* join goes where the command is, and keeps nothing but the right to mount there. */
static int join(int user, int mount)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (setns(user, CLONE_NEWUSER) < 0 || setns(mount, CLONE_NEWNS) < 0)
		return -1;
	caps[0].effective = caps[0].permitted = 1 << CAP_SYS_ADMIN;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &head, caps) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0);
}

/* mask_place masks what lies at a descriptor, unless something does. */
static int mask_place(int at)
{
	struct statx st;
	if (statx(at, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return -1;
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return 0;
	int tree = copy_mask(S_ISDIR(st.stx_mode) ? "directory" : "file");
	int r = tree < 0 ? -1 : attach_at(tree, at);
	close(tree);
	return r;
}

/* look masks what is bare in a directory. What is gone comes back as an event;
 * what the keeper may not reach, the command may not either, as long as the
 * directory stays closed. */
static void look(int fd)
{
	for (int i = 0; i < nkept; i++) {
		if (kept[i].fd != fd)
			continue;
		int at = open_exact(kept[i].path);
		int r = at < 0 ? -1 : mask_place(at), err = errno;
		close(at);
		if (r == 0 || err == ENOENT || err == ENOTDIR || (err == ELOOP && kept[i].layered))
			continue;
		if (err != EACCES || at >= 0)
			say(MSG_BARE, i, err);
		kept[i].fd = -1;
		polls = 1;
	}
}

static void look_at_all(void)
{
	for (int i = 0; i < ndirectories; i++)
		look(directories[i]);
	look(-1);
}

/* take_events looks where something changed; SIGIO says that too much did. */
static void take_events(int signals)
{
	struct signalfd_siginfo si[32];
	ssize_t n = read(signals, si, sizeof si);
	int all = 0;
	for (int i = 0; i < (int)(n / (ssize_t)sizeof *si); i++) {
		int again = 0;
		for (int k = 0; k < i && !again; k++)
			again = si[k].ssi_fd == si[i].ssi_fd;
		all |= si[i].ssi_signo == SIGIO;
		if (!again && si[i].ssi_signo == (uint32_t)CHANGED)
			look(si[i].ssi_fd);
	}
	if (all)
		look_at_all();
}

static void take_word(void)
{
	struct message m;
	if (receive_fds(srun, &m, NULL, 0) < 0 || m.type != CTL_LOOK)
		_exit(0); /* srun is gone, and init with it */
	if (open_masks() < 0)
		_exit(1);
	ready = 1;
	look_at_all();
}

void keeper_main(int sock)
{
	struct message m;
	int fds[LIST_FDS] = { -1, -1, -1 };
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	srun = sock;
	detach();
	if (receive_fds(srun, &m, fds, LIST_FDS) < 0 || m.type != CTL_KEEP || fds[2] < 0)
		_exit(0); /* nothing to keep, or nobody to keep it for */
	int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	int init = syscall(SYS_pidfd_open, m.a, 0);
	if (signals < 0 || init < 0 || take_list(fds[0]) < 0 || join(fds[1], fds[2]) < 0)
		_exit(1);
	say(MSG_KEEPING, 0, 0);
	for (;;) {
		struct pollfd polled[3] = { { .fd = srun, .events = POLLIN }, { .fd = init, .events = POLLIN },
			{ .fd = ready ? signals : -1, .events = POLLIN } };
		int n = poll(polled, 3, polls && ready ? POLL_MS : -1);
		if (polled[1].revents) {
			say(MSG_KEPT, 0, 0);
			_exit(0);
		}
		if (polled[0].revents)
			take_word();
		if (polled[2].revents)
			take_events(signals);
		if (n == 0)
			look(-1);
	}
}
