/* filecalls makes file calls and prints what came of them.
 *
 *	filecalls [-i386] [-keep] [-slow] works      exit 0 if the kernel has that ABI
 *	filecalls [...] random SEED COUNT DIR
 *	filecalls [...] case [NAME...]       all, without a name, each in a new directory
 *	filecalls [...] bench N              microseconds of the commonest calls
 *
 * -i386 makes the calls by int $0x80, as a program of 32 bits does. -keep
 * keeps root's capabilities, which are dropped as srun drops them. -slow is for
 * a machine that takes ten times as long. The same
 * arguments give the same output on the same kind of file system: no numbers of
 * processes, times or places are in it. $ stands for the directory of the calls,
 * ^ for DIR. */
#include "calls.h"
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* In the sandbox root has no capability: so that it is the same outside. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {0};
	for (int i = 0; i < 64; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	if (syscall(SYS_capset, &head, none))
		die("capset");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* How long a case may take, in ms. */
enum { PATIENCE = 30000 };

static int usage(void)
{
	fputs("usage: filecalls [-i386] [-keep] [-slow] works | random SEED COUNT DIR | case [NAME...] | bench N\n", stderr);
	return 2;
}

static void in_child(const struct test_case *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(022);
	char dir[64];
	snprintf(dir, sizeof dir, "case-%s", c->name);
	if (mkdir(dir, 0755) || chdir(dir))
		die(dir);
	c->run();
	fflush(stdout);
	_exit(0);
}

/* run_case has a child of its own for each case. What hangs is said to. */
static void run_case(const struct test_case *c)
{
	printf("%s\n", c->name);
	fflush(stdout);
	int ended[2], status;
	if (pipe2(ended, O_CLOEXEC))
		die("pipe");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(ended[0]);
		in_child(c);
	}
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {fd, POLLIN, 0};
	close(ended[0]), close(ended[1]);
	if (poll(&p, 1, PATIENCE * slowness) == 0) {
		puts("  HANGS");
		fflush(stdout);
		kill(pid, SIGKILL);
		if (poll(&p, 1, 5000) == 0) {
			puts("  CANNOT BE KILLED");
			fflush(stdout);
			_exit(3);
		}
	}
	close(fd);
	if (waitpid(pid, &status, 0) == pid && status)
		printf("  status %x\n", status);
	fflush(stdout);
}

static int run_cases(char **only)
{
	const struct test_case *all[] = {path_cases, block_cases, process_cases, device_cases};
	int found = 0;
	for (int i = 0; i < 4; i++)
		for (const struct test_case *c = all[i]; c->name; c++) {
			bool wanted = !*only && c->name[0] != '-';
			for (char **name = only; *name; name++)
				wanted |= !strcmp(*name, c->name + (c->name[0] == '-'));
			if (wanted)
				run_case(&(struct test_case){c->name + (c->name[0] == '-'), c->run}), found++;
		}
	return found ? 0 : usage();
}

int main(int argc, char **argv)
{
	bool keep = false;
	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		i386 |= !strcmp(argv[1], "-i386");
		keep |= !strcmp(argv[1], "-keep");
		if (!strcmp(argv[1], "-slow"))
			slowness = 10;
	}
	if (argc < 2)
		return usage();
	if (!abi_works())
		return 1;
	if (!strcmp(argv[1], "works"))
		return 0;
	if (strcmp(argv[1], "bench") && !keep)
		drop_capabilities();
	if (!strcmp(argv[1], "case"))
		return run_cases(argv + 2);
	if (!strcmp(argv[1], "random") && argc == 5)
		return random_calls(strtoull(argv[2], NULL, 10), atol(argv[3]), argv[4]);
	if (!strcmp(argv[1], "bench") && argc == 3)
		return bench(atol(argv[2]));
	return usage();
}
