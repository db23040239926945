//go:build linux

/* What the command loses: capabilities, privileges to gain, file rights
 * (Landlock) and system calls (seccomp). */
#define _GNU_SOURCE
#include "message.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_add_rule
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define LANDLOCK_RULE_PATH_BENEATH 1

/* linux/landlock.h is newer than some hosts that build srun. */
struct path_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* drop_capabilities empties every set of this thread for good. Without the
 * bounding set, root's execve(2) gains none back (capabilities(7)). */
int drop_capabilities(void)
{
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break;
		return fail("empty the capability bounding set");
	}
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &head, none) < 0)
		return fail("drop the capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("set no_new_privs");
	/* Init has the sandbox's secrets, such as the environment srun was
	 * started with: not to be read through /proc/1. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail("make init undumpable");
	return 0;
}

/* landlock_op adds a rule for one of init's own mounts, which srun cannot open
 * from outside; the rules for the host's paths are in the ruleset already. */
int landlock_op(int ruleset, const struct op *op, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct path_beneath rule = { .allowed_access = op->a, .parent_fd = fd };
	int r = fd < 0 ? -1 : (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (fd >= 0)
		close(fd);
	return r < 0 ? fail(path) : 0;
}

/* A build for tests takes 0: as on a kernel without it. */
#ifndef WAIT_KILLABLE
#define WAIT_KILLABLE (1 << 5) /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
#endif

/* load_notifying loads the filter whose notifications srun answers. Calls wait
 * for the answer killable only, where the kernel can (Linux 5.19): else a Go
 * program's preemption signals would restart them over and over. */
static int load_notifying(const struct plan *p, struct sock_fprog *prog)
{
	const unsigned int listener = 1 << 3; /* seccomp(2) */
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listener | WAIT_KILLABLE, prog);
	int killable = fd >= 0 && WAIT_KILLABLE;
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listener, prog);
	if (fd < 0)
		return -1;
	struct message m = { .type = MSG_BROKER, .a = killable };
	int r = send_fds(p->sock, &m, &fd, 1);
	close(fd);
	return r;
}

static int load_filter(const struct plan *p, const struct op *op)
{
	struct sock_fprog prog = {
		.len = op->len / sizeof(struct sock_filter),
		.filter = (struct sock_filter *)op_data(op),
	};
	if (op->b)
		return load_notifying(p, &prog);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* confine restricts the calling thread for good; returns the stage that
 * failed, or 0. Landlock first: the filters deny its system calls. */
int confine(const struct plan *p)
{
	if (p->ruleset >= 0 && syscall(SYS_landlock_restrict_self, p->ruleset, 0) < 0) {
		fail("landlock_restrict_self");
		return STAGE_LANDLOCK;
	}
	for (const struct op *op = plan_next(p, NULL); op; op = plan_next(p, op)) {
		if (op->kind == OP_SECCOMP && load_filter(p, op) < 0) {
			fail("load the system call filter");
			return STAGE_SECCOMP;
		}
	}
	return 0;
}
