//go:build linux

/* How init comes to be. Both ways start in a constructor, before the Go
 * runtime has threads:
 *
 * early:  cmd/srun sets srun_early_init. Its process forks at once, and init is
 *         cloned into the new namespaces; Go starts in the meantime and later
 *         finds init's process id and socket in srun_early.
 * again:  any other program (a user of package launcher, a test) starts
 *         /proc/self/exe once more, already in the namespaces, with the socket
 *         in the environment; the constructor never returns to Go. The keeper
 *         comes to be the same way.
 */
#define _GNU_SOURCE
#include "enter.h"
#include "init.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct early *srun_early;

/* A program that wants init early defines this with a value of 1. */
extern int srun_early_init __attribute__((weak));

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* map_self maps the user and group to themselves (user_namespaces(7): a
 * process may map just its own ids, after giving up setgroups). */
static int map_self(uid_t uid, gid_t gid)
{
	char map[64];
	if (write_file("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return -1;
	snprintf(map, sizeof map, "%u %u 1\n", gid, gid);
	return write_file("/proc/self/gid_map", map);
}

static void refuse(int sock, const char *what) __attribute__((noreturn));
static void refuse(int sock, const char *what)
{
	struct message m = { .type = MSG_FAILED, .a = errno, .b = STAGE_NAMESPACES };
	snprintf(m.text, sizeof m.text, "%s", what);
	send(sock, &m, sizeof m, MSG_NOSIGNAL);
	_exit(1);
}

/* An early init is a grandchild by clone(2)'s CLONE_PARENT, hence srun's own
 * child: the helper in between sits out the time that the kernel takes to make
 * the namespaces, while srun's Go half starts. Then it becomes the keeper. */
static void helper(int sock, int keeper) __attribute__((noreturn));
static void helper(int sock, int keeper)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	long pid = syscall(SYS_clone, NAMESPACES | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, 0,
			   &srun_early->pid, 0, 0);
	if (pid < 0)
		refuse(sock, "make the namespaces");
	if (pid > 0)
		keeper_main(keeper); /* closes init's socket */
	close(keeper);
	if (map_self(uid, gid) < 0)
		refuse(sock, "map the user to itself");
	init_main(sock, DIE_WITH_THREAD);
}

static void start_early(void)
{
	int pair[2], keeper[2];
	struct early *e = mmap(NULL, sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (e == MAP_FAILED)
		return; /* srun starts itself again instead */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper) < 0) {
		munmap(e, sizeof *e); /* and descriptors are short: none is worth closing */
		return;
	}
	srun_early = e;
	e->sock = pair[0];
	e->keeper = keeper[0];
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		close(keeper[0]);
		helper(pair[1], keeper[1]);
	}
	e->helper = child;
	close(keeper[1]);
	close(pair[1]); /* a failed fork reads as an init that ended */
}

/* fill_stdio makes sure that 0 to 2 are taken, so that no descriptor made from
 * here on is mistaken for standard input or output. */
static void fill_stdio(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int is_socket(int sock)
{
	int type = 0, domain = 0;
	socklen_t len = sizeof type;
	return getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
	       getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

/* is_ours tells srun's own start of init from somebody's who set the name and
 * the variable by hand: outside new namespaces init would turn the host's own
 * mounts and network into a sandbox's. */
static int is_ours(int sock) { return getpid() == 1 && getppid() == 0 && is_socket(sock); }

/* runs_something leaves out the calls that need no sandbox. */
static int runs_something(int argc, char **argv)
{
	return argc > 2 || (argc == 2 && strcmp(argv[1], "--version") && strcmp(argv[1], "--help") && strcmp(argv[1], "-h"));
}

/* is_srun tells srun by the names that it is called by: its own, and those of
 * shells, where a login shell's begins with a "-". */
static int is_srun(const char *name)
{
	static const char *const names[] = { "srun", "srun-sh", "srun-bash", "srun-zsh" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name + (*name == '-'), names[i]) == 0)
			return i > 0 ? 2 : 1;
	return 0;
}

/* Constructors get main's arguments (System V ABI as glibc and musl's static
 * start-up differ here, musl programs take the second way). */
__attribute__((constructor)) static void enter(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc < 1 || !argv || !argv[0])
		return;
	const char *sock = getenv(SRUN_INIT_ENV);
	if (sock && strcmp(argv[0], SRUN_INIT_NAME) == 0) {
		if (!is_ours(atoi(sock)))
			_exit(125);
		fill_stdio();
		remember_inherited();
		init_main(atoi(sock), argc > 1 && strcmp(argv[1], SRUN_HOST_NETWORK) == 0 ? HOST_NETWORK : 0);
	}
	if (sock && strcmp(argv[0], SRUN_KEEPER_NAME) == 0) {
		if (!is_socket(atoi(sock)))
			_exit(125);
		keeper_main(atoi(sock));
	}
	int as = &srun_early_init && srun_early_init ? is_srun(base_name(argv[0])) : 0;
	if (as)
		check_limits();
	if (as == 2 || (as == 1 && runs_something(argc, argv))) {
		fill_stdio();
		remember_inherited();
		start_early();
	}
}
