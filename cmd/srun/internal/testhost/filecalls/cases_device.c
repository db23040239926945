/* Cases of what is no plain file: terminals, devices, descriptors by name. */
#include "calls.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

static void try(const char *path, int flags)
{
	long fd = open_at(path, flags, 0600);
	printf("  %s %o: %s", path, flags, err_name(fd < 0 ? fd : 0));
	if (fd >= 0) {
		char c;
		ssize_t w = write((int)fd, "xyz", 3);
		printf(" flags %o, write %s,", fcntl((int)fd, F_GETFL), err_name(w < 0 ? -errno : w));
		ssize_t r = flags & O_NONBLOCK ? read((int)fd, &c, 1) : 0;
		printf(" read %s", err_name(r < 0 ? -errno : r));
		close((int)fd);
	}
	putchar('\n');
	fflush(stdout);
}

/* Names of a descriptor, whatever it is. Output goes on by descriptor 30. */
static void by_names(int fd)
{
	static const char *const names[] = {"/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "/proc/thread-self/fd/1"};
	static const int flags[] = {O_WRONLY | O_NONBLOCK, O_WRONLY | O_TRUNC | O_CREAT, O_WRONLY | O_APPEND, O_RDWR | O_NONBLOCK,
		O_RDWR | O_CREAT | O_EXCL, O_WRONLY | O_NOFOLLOW, O_WRONLY | O_DIRECTORY};
	fflush(stdout);
	int saved = dup2(1, 30);
	for (int n = 0; n < 4; n++)
		for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++) {
			dup2(fd, 1);
			long got = open_at(names[n], flags[f], 0600);
			ssize_t w = got < 0 ? 0 : write((int)got, "data", 4);
			int e = errno, fl = got < 0 ? 0 : fcntl((int)got, F_GETFL);
			if (got >= 0)
				close((int)got);
			dup2(saved, 1);
			printf("  %s %o: %s %o, write %s\n", names[n], flags[f], err_name(got < 0 ? got : 0), fl, err_name(w < 0 ? -e : w));
			fflush(stdout);
		}
	close(saved);
}

static void stdout_pipe(void)
{
	int p[2];
	char buf[4096];
	if (pipe(p))
		die("pipe");
	by_names(p[1]);
	say("read", read(p[0], buf, sizeof buf));
}

static void stdout_file(void)
{
	put("file", "content that is longer");
	int fd = open("file", O_WRONLY | O_APPEND);
	by_names(fd);
	content_of("file");
	unlink("file");
	by_names(fd);
	say("deleted", lseek(fd, 0, SEEK_END));
	put("sealed", "data");
	fd = open("sealed", O_WRONLY);
	chmod("sealed", 0400);
	by_names(fd);
	content_of("sealed");
}

static void stdout_socket(void)
{
	int s[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		die("socketpair");
	by_names(s[0]);
}

static void memfd(void)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	(void)!write(fd, "content", 7);
	by_names(fd);
	say("size", lseek(fd, 0, SEEK_END));
	say("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0 ? -errno : 0);
	by_names(fd);
	say("truncate", CALL(TRUNCATE, (long)text("/proc/self/fd/%d", fd), 0L));
	say("size", lseek(fd, 0, SEEK_END));
}

static void devices(void)
{
	static const char *const all[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
	for (int i = 0; i < 5; i++) {
		try(all[i], O_WRONLY);
		try(all[i], O_WRONLY | O_CREAT | O_TRUNC);
		try(all[i], O_RDWR | O_NONBLOCK | O_APPEND);
	}
	try("/dev/null", O_WRONLY | O_CREAT | O_EXCL);
	try("/dev/null/", O_WRONLY);
	say("truncate", CALL(TRUNCATE, (long)"/dev/null", 0L));
	say("whiteout", CALL(MKNODAT, (long)AT_FDCWD, (long)"white", (long)(S_IFCHR | 0644), 0L));
	try("white", O_WRONLY);
	say("mknod", CALL(MKNODAT, (long)AT_FDCWD, (long)"null", (long)(S_IFREG | 0600), 0x103L));
	try("null", O_RDWR);
}

/* The first terminal that a session's leader opens becomes its own. */
static void terminals(void)
{
	pid_t pid = fork();
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		return;
	}
	setsid();
	signal(SIGHUP, SIG_IGN);
	say("no terminal", open_at("/dev/tty", O_RDWR, 0));
	long m = open_at("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	say("ptmx", m < 0 ? m : 0);
	if (m < 0 || grantpt((int)m) || unlockpt((int)m))
		_exit(0);
	static char name[64];
	ptsname_r((int)m, name, sizeof name);
	long s = open_at(name, O_RDWR | O_NOCTTY, 0);
	say("pts", s < 0 ? s : 0);
	say("no controlling terminal", open_at("/dev/tty", O_RDWR, 0));
	char buf[64] = "";
	(void)!write((int)s, "out", 3);
	say("through", read((int)m, buf, 64));
	long t = open_at(name, O_RDWR, 0);
	say("pts without NOCTTY", t < 0 ? t : 0);
	ioctl((int)t, TIOCSCTTY, 0); /* inside, the open alone does not do it */
	say("is the controlling one", tcgetsid((int)t) == getpid());
	t = open_at("/dev/tty", O_RDWR, 0);
	say("/dev/tty", t < 0 ? t : 0);
	say("write", write((int)t, "tty", 3));
	memset(buf, 0, sizeof buf);
	say("read", read((int)m, buf, 64));
	show(buf);
	_exit(0);
}

/* On a terminal of its own: see same-tty.txtar. */
static void tty(void)
{
	struct stat in, own;
	long fd = open_at("/dev/tty", O_RDWR, 0);
	say("open", fd < 0 ? fd : 0);
	say("is a terminal", isatty((int)fd));
	say("foreground", tcgetpgrp((int)fd) == getpgrp());
	struct winsize a = {0}, b = {0};
	ioctl(0, TIOCGWINSZ, &a), ioctl((int)fd, TIOCGWINSZ, &b);
	say("size", memcmp(&a, &b, sizeof a));
	say("write", write((int)fd, "  to the terminal\n", 18));
	fstat(0, &in), fstat((int)fd, &own);
	say("stdin is", in.st_rdev == own.st_rdev);
	fd = open_at("/dev/stdout", O_WRONLY | O_APPEND, 0);
	say("stdout", fd < 0 ? fd : 0);
	say("write", write((int)fd, "  to stdout\n", 12));
	fd = open_at("/proc/self/fd/0", O_RDWR | O_TRUNC, 0);
	say("stdin", fd < 0 ? fd : 0);
	say("write", write((int)fd, "  to stdin\n", 11));
}

/* On a small disk: see same-cases.txtar. */
static void disk_full(void)
{
	static char bytes[4096], target[4000];
	memset(target, 'x', sizeof target - 1);
	put("kept", "content");
	long fd = open_at("big", O_CREAT | O_WRONLY, 0644);
	while (write((int)fd, bytes, sizeof bytes) > 0) {
	}
	say("full", -errno);
	close((int)fd);
	say("symlink", CALL(SYMLINKAT, (long)target, (long)AT_FDCWD, (long)"link"));
	long r = 0;
	int n = 0;
	for (; n < 2000 && r >= 0; n++) {
		r = open_at(text("f%d", n), O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (r >= 0)
			close((int)r);
	}
	say("files", n);
	say("create", r);
	say("mkdir", CALL(MKDIRAT, (long)AT_FDCWD, (long)"dir", 0755L));
	say("rename", CALL(RENAMEAT2, (long)AT_FDCWD, (long)"kept", (long)AT_FDCWD, (long)"moved", 0L));
	content_of("moved");
	say("open", open_at("moved", O_WRONLY, 0) < 0 ? -1 : 0);
	while (n-- > 0)
		unlink(text("f%d", n));
	unlink("big");
}

const struct test_case device_cases[] = {
	{"stdout-pipe", stdout_pipe}, {"stdout-file", stdout_file}, {"stdout-socket", stdout_socket}, {"memfd", memfd},
	{"devices", devices}, {"terminals", terminals}, {"-tty", tty}, {"-disk-full", disk_full}, {NULL, NULL},
};
