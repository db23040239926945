/* Cases of opens that wait, and of signals that come meanwhile. */
#include "calls.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

static void handler(int sig) { (void)sig; }

static void catch(int sig, int flags)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
	sigaction(sig, &a, NULL);
}

/* opener opens a path in a thread and keeps the result. */
struct opener {
	const char *path;
	int flags;
	_Atomic long result;
	pthread_t thread;
};

static void *open_it(void *arg)
{
	struct opener *o = arg;
	o->result = open_at(o->path, o->flags, 0644);
	return NULL;
}

static void start(struct opener *o, const char *path, int flags)
{
	o->path = path, o->flags = flags, o->result = -EINPROGRESS;
	if (pthread_create(&o->thread, NULL, open_it, o))
		die("pthread_create");
}

static void nap(int ms) { poll(NULL, 0, ms * slowness); }

static int tells(long r) { return r >= 0 ? 0 : (int)r; }

static void meet(int first, int second)
{
	struct opener o;
	start(&o, "fifo", first);
	nap(100);
	say("waits", o.result);
	long fd = open_at("fifo", second, 0);
	pthread_join(o.thread, NULL);
	say("first", tells(o.result));
	say("second", tells(fd));
	long r = first == O_RDONLY ? o.result : fd, w = first == O_RDONLY ? fd : o.result;
	char buf[8] = "";
	say("flags", fcntl((int)w, F_GETFL));
	say("write", write((int)w, "data", 4));
	say("read", read((int)r, buf, 8));
	close((int)w);
	say("end", read((int)r, buf, 8));
	close((int)r);
}

static void fifo_peers(void)
{
	if (mkfifo("fifo", 0644))
		die("fifo");
	meet(O_RDONLY, O_WRONLY);
	meet(O_WRONLY, O_RDONLY);
	meet(O_WRONLY | O_CREAT | O_TRUNC, O_RDONLY);
	say("nobody reads", open_at("fifo", O_WRONLY | O_NONBLOCK, 0));
	long r = open_at("fifo", O_RDONLY | O_NONBLOCK, 0);
	say("nobody writes", tells(r));
	say("somebody reads", tells(open_at("fifo", O_WRONLY | O_NONBLOCK, 0)));
	say("both", tells(open_at("fifo", O_RDWR, 0)));
}

/* Nothing of a descriptor stays behind when the caller closes it. */
static void nothing_stays(void)
{
	int ends = 0, refused = 0, locked = 0;
	mkfifo("fifo", 0644);
	put("file", "");
	for (int i = 0; i < 300; i++) {
		char c;
		int r = open("fifo", O_RDONLY | O_NONBLOCK);
		long w = open_at("fifo", O_WRONLY, 0);
		close((int)w);
		ends += read(r, &c, 1) == 0;
		w = open_at("fifo", O_WRONLY, 0);
		close(r);
		close((int)w);
		refused += open_at("fifo", O_WRONLY | O_NONBLOCK, 0) == -ENXIO;
		long f = open_at("file", O_WRONLY, 0);
		flock((int)f, LOCK_EX);
		close((int)f);
		f = open_at("file", O_WRONLY, 0);
		locked += flock((int)f, LOCK_EX | LOCK_NB) == 0;
		close((int)f);
	}
	printf("  %d ends, %d refused, %d locked\n", ends, refused, locked);
}

/* A program that was just written and closed can be run. */
static void exec_after_write(void)
{
	volatile int ran = 0;
	for (volatile int i = 0; i < 100; i++) {
		const char *name = text("./program-%d", i);
		long fd = open_at(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
		(void)!write((int)fd, "#!/bin/true\n", 12);
		close((int)fd);
		pid_t pid = vfork();
		if (pid == 0) {
			execl(name, name, NULL);
			_exit(errno);
		}
		int status;
		waitpid(pid, &status, 0);
		if (status)
			say("run", -WEXITSTATUS(status));
		ran += status == 0;
	}
	say("ran", ran);
}

static _Atomic int made;
static void *make_files(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		long fd = open_at(text("made-%d", i), O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd >= 0)
			made += close((int)fd) == 0;
	}
	return NULL;
}

/* While one thread waits for a peer, another's calls go on. */
static void fifo_signal(void)
{
	struct opener o;
	pthread_t maker;
	mkfifo("fifo", 0644);
	catch(SIGUSR1, 0);
	start(&o, "fifo", O_WRONLY);
	nap(50);
	pthread_create(&maker, NULL, make_files, NULL);
	pthread_join(maker, NULL);
	say("made meanwhile", made);
	say("waits", o.result);
	for (int i = 0; i < 100 && o.result == -EINPROGRESS; i++)
		pthread_kill(o.thread, SIGUSR1), nap(20);
	say("interrupted", o.result);
	if (o.result == -EINPROGRESS)
		return;
	pthread_join(o.thread, NULL);
	catch(SIGUSR1, SA_RESTART);
	start(&o, "fifo", O_WRONLY);
	for (int i = 0; i < 10; i++)
		nap(10), pthread_kill(o.thread, SIGUSR1);
	nap(50);
	say("restarted", o.result);
	long r = open_at("fifo", O_RDONLY, 0);
	pthread_join(o.thread, NULL);
	say("in the end", tells(o.result));
	close((int)o.result);
	char c;
	say("one writer only", read((int)r, &c, 1));
}

static pid_t waiter(const char *path, int flags)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(open_at(path, flags, 0) < 0);
	nap(100);
	return pid;
}

static void ended(pid_t pid)
{
	int status = 0;
	pid_t got = 0;
	for (int i = 0; i < 50 && got == 0; i++, nap(i ? 100 : 0))
		got = waitpid(pid, &status, WNOHANG);
	printf("  %s, status %x\n", got == pid ? "ended" : "does not end", status);
	fflush(stdout);
}

static void fifo_kill(void)
{
	mkfifo("fifo", 0644);
	pid_t pid = waiter("fifo", O_WRONLY);
	kill(pid, SIGKILL);
	ended(pid);
	say("nobody is left", tells(open_at("fifo", O_WRONLY | O_NONBLOCK, 0)));
	int r = open("fifo", O_RDONLY | O_NONBLOCK);
	char c;
	say("and no writer", read(r, &c, 1));
	close(r);
	/* A stop and a go are no reason to return. */
	pid = waiter("fifo", O_WRONLY);
	kill(pid, SIGSTOP), nap(50), kill(pid, SIGCONT), nap(50);
	say("still waits", waitpid(pid, NULL, WNOHANG));
	close((int)open_at("fifo", O_RDONLY, 0));
	ended(pid);
}

/* exit and exec of one thread end another that waits. */
static void fifo_exec(void)
{
	mkfifo("fifo", 0644);
	for (int way = 0; way < 2; way++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct opener o;
			start(&o, "fifo", O_WRONLY);
			nap(50);
			if (way == 0)
				_exit(7);
			execl("/bin/sh", "sh", "-c", "exit 8", NULL);
			_exit(9);
		}
		ended(pid);
	}
}

/* A signal whose handler does not restart calls can come before srun has taken
 * one: what EINTR tells is then that it was not done. */
#define TRY(...) ({ long r_; do r_ = CALL(__VA_ARGS__); while (r_ == -EINTR); r_; })

/* Of calls that signals interrupt all the time, each is done once. */
static void storm(int flags)
{
	long wrong = 0;
	long pause = 300L * slowness * slowness;
	struct itimerval fast = {{0, pause}, {0, pause}}, none = {{0, 0}, {0, 0}};
	catch(SIGALRM, flags);
	setitimer(ITIMER_REAL, &fast, NULL);
	for (int i = 0; i < 500; i++) {
		long cwd = AT_FDCWD, name = (long)text("f%d-%d", flags != 0, i), other = (long)text("%s.x", (char *)name);
		long fd = TRY(OPENAT, cwd, name, (long)(O_CREAT | O_EXCL | O_WRONLY), 0644L);
		long got[] = {
			fd < 0 ? fd : close((int)fd), TRY(LINKAT, cwd, name, cwd, other, 0L), TRY(RENAMEAT2, cwd, other, cwd, (long)text("%s.y", (char *)name), 1L),
			TRY(MKDIRAT, cwd, (long)text("%s.d", (char *)name), 0755L), TRY(SYMLINKAT, name, cwd, (long)text("%s.s", (char *)name)),
			TRY(MKNODAT, cwd, (long)text("%s.p", (char *)name), (long)(S_IFIFO | 0644), 0L), TRY(UNLINKAT, cwd, (long)text("%s.y", (char *)name), 0L),
			TRY(UNLINKAT, cwd, (long)text("%s.d", (char *)name), (long)AT_REMOVEDIR), TRY(TRUNCATE, name, 5L),
		};
		for (size_t c = 0; c < sizeof got / sizeof got[0]; c++)
			if (got[c] && wrong++ < 10)
				say(text("%d call %zu", i, c), got[c]);
	}
	setitimer(ITIMER_REAL, &none, NULL);
	say("wrong", wrong);
}

static void alarms(void) { storm(0); }
static void alarms_restart(void) { storm(SA_RESTART); }

/* An open of a leased file waits until its holder has let go. */
static void lease(void)
{
	put("file", "data");
	int fd = open("file", O_RDONLY);
	catch(SIGIO, SA_RESTART);
	if (fcntl(fd, F_SETLEASE, F_RDLCK)) {
		say("lease", -errno);
		return;
	}
	say("at once", tells(open_at("file", O_WRONLY | O_NONBLOCK, 0)));
	fcntl(fd, F_SETLEASE, F_UNLCK);
	fcntl(fd, F_SETLEASE, F_RDLCK);
	pid_t pid = waiter("file", O_WRONLY);
	say("waits", waitpid(pid, NULL, WNOHANG));
	fcntl(fd, F_SETLEASE, F_UNLCK);
	ended(pid);
}

const struct test_case block_cases[] = {
	{"fifo-peers", fifo_peers}, {"nothing-stays", nothing_stays}, {"exec-after-write", exec_after_write},
	{"fifo-signal", fifo_signal}, {"fifo-kill", fifo_kill}, {"fifo-exec", fifo_exec}, {"alarms", alarms},
	{"alarms-restart", alarms_restart}, {"lease", lease}, {NULL, NULL},
};
