/* Cases of who calls: limits, threads, children, programs. */
#include "calls.h"
#include <dirent.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { NEW = O_CREAT | O_EXCL | O_WRONLY };

static void wait_for(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) == pid && status)
		printf("  child: status %x\n", status);
	fflush(stdout);
}

static void no_descriptors(void)
{
	put("full", "content");
	struct rlimit few = {20, 20};
	if (setrlimit(RLIMIT_NOFILE, &few))
		die("setrlimit");
	long fd, last = -1;
	while ((fd = open_at("full", O_RDWR, 0)) >= 0)
		last = fd;
	say("last", last);
	say("then", fd);
	say("create", open_at("new", NEW, 0644));
	say("made", access("new", F_OK) ? -errno : 0);
	say("truncate", open_at("full", O_WRONLY | O_TRUNC, 0));
	say("tmpfile", open_at(".", O_TMPFILE | O_RDWR, 0600));
	say("none", open_at("none", O_WRONLY, 0));
	say("path fault", CALL(OPENAT, (long)AT_FDCWD, 1L, (long)O_WRONLY, 0L));
	say("directory", CALL(MKDIRAT, (long)AT_FDCWD, (long)"dir", 0755L));
	close(7);
	say("content", open_at("full", O_RDONLY, 0));
	close(7);
	say("lowest", open_at("new", NEW, 0644));
	close(0), close(11);
	say("lowest", open_at("new2", NEW, 0644));
	say("lowest", open_at("new3", NEW, 0644));
	close(0), close(7), close(11);
	content_of("full");
}

static _Atomic int got_xfsz;
static void on_xfsz(int sig)
{
	(void)sig;
	got_xfsz++;
}

static void size_limit(void)
{
	signal(SIGXFSZ, on_xfsz);
	put("file", "0123456789");
	struct rlimit small = {100, 100};
	setrlimit(RLIMIT_FSIZE, &small);
	say("truncate below", CALL(TRUNCATE, (long)"file", 50L));
	say("truncate above", CALL(TRUNCATE, (long)"file", 200L));
	say("signals", got_xfsz);
	long fd = open_at("new", NEW, 0644);
	static char bytes[200];
	say("write", write((int)fd, bytes, 200));
	ssize_t n = write((int)fd, bytes, 200);
	say("write more", n < 0 ? -errno : n);
	say("signals", got_xfsz);
	struct stat st;
	stat("file", &st);
	say("size", st.st_size);
}

static void vfork_child(void)
{
	static volatile long fd, wrote;
	for (volatile int i = 0; i < 50; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			fd = open_at("file", O_CREAT | O_WRONLY | O_APPEND, 0644);
			wrote = write((int)fd, "x", 1);
			_exit(fd < 0);
		}
		wait_for(pid);
	}
	say("opened", fd < 0 ? fd : 0);
	say("wrote", wrote);
	content_of("file");
}

static void *own_fs(void *arg)
{
	(void)arg;
	say("unshare", unshare(CLONE_FS) ? -errno : 0);
	mkdir("own", 0755);
	say("chdir", chdir("own") ? -errno : 0);
	umask(077);
	put("file", "thread");
	say("mkdir", CALL(MKDIRAT, (long)AT_FDCWD, (long)"dir", 0777L));
	return NULL;
}

static void *own_files(void *arg)
{
	int *open_here = arg;
	say("unshare", unshare(CLONE_FILES) ? -errno : 0);
	close(*open_here);
	long fd = open_at("own-files", NEW, 0644);
	say("lowest", fd - *open_here);
	return NULL;
}

static void own_tables(void)
{
	pthread_t t;
	pthread_create(&t, NULL, own_fs, NULL);
	pthread_join(t, NULL);
	put("file", "main");
	content_of("file"), content_of("own/file");
	struct stat a, b;
	stat("file", &a), stat("own/file", &b);
	printf("  modes %o %o\n", a.st_mode, b.st_mode);
	int fd = open("file", O_RDONLY);
	pthread_create(&t, NULL, own_files, &fd);
	pthread_join(t, NULL);
	say("still open", fcntl(fd, F_GETFL) < 0 ? -errno : 0);
	say("next", open_at("file", O_WRONLY, 0) - fd);
}

/* A process may share cwd and umask, or the descriptors, with another. */
static void shared_tables(void)
{
	mkdir("dir", 0755);
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		umask(077);
		_exit(chdir("dir"));
	}
	wait_for(pid);
	put("file", "here");
	struct stat st = {0};
	say("in dir", stat("../dir/file", &st) ? -errno : 0);
	printf("  mode %o\n", st.st_mode);
	long next = open_at("file", O_RDONLY, 0);
	close((int)next);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(open_at("by-child", O_CREAT | O_RDWR, 0600) != next);
	wait_for(pid);
	say("child's", write((int)next, "data", 4));
	content_of("by-child");
}

/* The other ways to reach what another process has. */
static void other_process(void)
{
	mkdir("dir", 0755);
	put("file", "data");
	int ready[2];
	if (pipe(ready))
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open("file", O_RDWR);
		dup2(fd, 50);
		(void)!chdir("dir");
		(void)!write(ready[1], "", 1);
		pause();
	}
	char c;
	(void)!read(ready[0], &c, 1);
	long fd = open_at(text("/proc/%d/cwd/new", pid), NEW, 0644);
	say("by its cwd", fd < 0 ? fd : 0);
	say("there", access("dir/new", F_OK));
	fd = open_at(text("/proc/%d/fd/50", pid), O_WRONLY | O_TRUNC, 0);
	say("by its fd", fd < 0 ? fd : 0);
	content_of("file");
	say("mkdir", CALL(MKDIRAT, (long)AT_FDCWD, (long)text("/proc/%d/cwd/made", pid), 0755L));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	say("gone", open_at(text("/proc/%d/cwd/new2", pid), NEW, 0644));
}

enum { THREADS = 200, EACH = 50 };
static _Atomic long failed;

static void *many(void *arg)
{
	/* Not the ring of text, which the others may go round meanwhile. */
	static char names[THREADS][32];
	long t = (long)arg;
	char *name = names[t];
	for (int i = 0; i < EACH; i++) {
		snprintf(name, sizeof names[0], "t%ld-%d", t, i);
		long fd = open_at(name, NEW, 0644);
		if (fd < 0 || write((int)fd, name, strlen(name)) != (ssize_t)strlen(name))
			failed++;
		if (fd >= 0)
			close((int)fd);
	}
	return NULL;
}

static void many_threads(void)
{
	static pthread_t threads[THREADS];
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, many, (void *)i))
			die("pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("failed", failed);
	long right = 0;
	for (long t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++) {
			char *name = text("t%ld-%d", t, i), got[64];
			int fd = open(name, O_RDONLY);
			ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got);
			right += n == (ssize_t)strlen(name) && !memcmp(got, name, (size_t)n);
			close(fd);
		}
	say("right", right);
}

static void create_forever(int n)
{
	for (long i = 0;; i++) {
		char *name = text("child-%d-%ld", n, i % 20);
		long fd = open_at(name, O_CREAT | O_WRONLY, 0644);
		if (fd >= 0)
			close((int)fd);
		CALL(RENAMEAT2, (long)AT_FDCWD, (long)name, (long)AT_FDCWD, (long)text("moved-%d", n), 0L);
		CALL(UNLINKAT, (long)AT_FDCWD, (long)text("moved-%d", n), 0L);
	}
}

static void killed(void)
{
	enum { CHILDREN = 50 };
	pid_t pids[CHILDREN];
	for (int i = 0; i < CHILDREN; i++)
		if ((pids[i] = fork()) == 0)
			create_forever(i);
	for (int i = 0; i < CHILDREN; i++) {
		poll(NULL, 0, 3 + i * 7 % 11);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	poll(NULL, 0, 50); /* what srun had begun for one of them may end after it */
	DIR *d = opendir(".");
	long odd = 0;
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		if (e->d_name[0] == '.')
			continue;
		odd += lstat(e->d_name, &st) || !S_ISREG(st.st_mode) || st.st_size != 0;
		unlink(e->d_name);
	}
	closedir(d);
	say("odd files", odd);
	put("after", "works");
	content_of("after");
}

/* A program that may be run and not read cannot be looked into. */
static void exec_only(void)
{
	static char self[64], bytes[1 << 16];
	int in = open("/proc/self/exe", O_RDONLY), out = open("program", O_CREAT | O_WRONLY, 0755);
	for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;)
		if (write(out, bytes, (size_t)n) != n)
			die("copy");
	close(out), close(in);
	chmod("program", 0111);
	pid_t pid = fork();
	if (pid == 0) {
		strcpy(self, "./program");
		execl(self, self, "case", "hidden", NULL);
		die(self);
	}
	wait_for(pid);
	chmod("program", 0700);
	unlink("program");
}

static void hidden(void)
{
	long fd = open_at("/dev/null", O_WRONLY, 0);
	say("/dev/null", fd < 0 ? fd : 0);
	fd = open_at("file", NEW, 0644);
	say("create", fd < 0 ? fd : 0);
	say("mkdir", CALL(MKDIRAT, (long)AT_FDCWD, (long)"dir", 0755L));
	say("read", open_at("/dev/zero", O_RDONLY, 0) < 0 ? -errno : 0);
}

const struct test_case process_cases[] = {
	{"no-descriptors", no_descriptors}, {"size-limit", size_limit}, {"vfork", vfork_child}, {"own-tables", own_tables},
	{"shared-tables", shared_tables}, {"other-process", other_process}, {"many-threads", many_threads}, {"killed", killed},
	{"-exec-only", exec_only}, {"-hidden", hidden}, {NULL, NULL},
};
