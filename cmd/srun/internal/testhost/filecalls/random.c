#include "random.h"
#include <signal.h>
#include <sys/syscall.h>

static uint64_t state;

uint64_t pick(uint64_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717u >> 33) % n;
}

bool one_in(uint64_t n) { return pick(n) == 0; }

/* The calls are made this deep below DIR, so that no chain of links and .. that
 * the kernel follows leads out of it. */
enum { DEPTH = 90, INNER_FD = 200 };

static void go_inside(void)
{
	/* Whatever was done to the modes of what is above. */
	if (chmod("/proc/self/fd/200", 0755) || fchdir(INNER_FD))
		die("go inside");
}

static void go_down(const char *dir)
{
	static char inner[8192], outer[4096];
	if (chdir(dir))
		die(dir);
	if (!getcwd(outer, sizeof outer))
		die("getcwd");
	for (int i = 0; i < DEPTH; i++)
		if (mkdir("u", 0755) || chdir("u"))
			die("mkdir u");
	if (!getcwd(inner, sizeof inner))
		die("getcwd");
	int fd = open(".", O_PATH);
	if (dup3(fd, INNER_FD, O_CLOEXEC) < 0)
		die("dup");
	close(fd);
	outer_dir = outer, inner_dir = inner;
}

static void first_tree(void)
{
	put("a", "first");
	put("b", "second");
	if (mkdir("c", 0755) || mkdir("d", 0777) || chmod("d", 02775) || mkdir("c/d", 0700) || symlink("a", "l") ||
		symlink("c/d", "m") || symlink("o", "o") || symlink("c/e", "g") || symlink("../c", "d/l") || mkfifo("f", 0644))
		die("first tree");
}

/* refresh makes what has gone again, or not, as it may be. */
static void refresh(void)
{
	mode_t mask = umask(022);
	go_inside();
	chmod("../..", 0755), chmod("..", 0755), chmod("c", 0755), chmod("d", 02775);
	mkdir("c", 0755), mkdir("d", 0775), mkdir("h", 0755), mkdir("c/d", 0755);
	unlink("m"), unlink("o"), unlink("g");
	(void)!symlink("c/d", "m"), (void)!symlink("o", "o"), (void)!symlink("c/e", "g"), (void)!symlink("/proc/self/fd/4", "j");
	mkfifo("f", 0644);
	umask(mask);
}

/* stay_inside brings back who went above the directory. */
static void stay_inside(void)
{
	static char cwd[8192];
	size_t n = strlen(inner_dir);
	if (!getcwd(cwd, sizeof cwd))
		return; /* deleted: fine, and it has no names */
	if (strncmp(cwd, inner_dir, n) || (cwd[n] != '/' && cwd[n] != 0))
		go_inside();
}

int random_calls(uint64_t seed, long count, const char *dir)
{
	state = seed * 0x9e3779b97f4a7c15u + 1;
	start_clock();
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	if (syscall(SYS_close_range, 3, ~0U, 0))
		die("close_range");
	go_down(dir);
	first_tree();
	age_tree(outer_dir);
	for (long i = 1; i <= count; i++) {
		printf("%ld ", i);
		random_call();
		stay_inside();
		if (i % 200 == 0)
			refresh();
		if (i % 64 == 0)
			age_tree(outer_dir);
		if (i % 16 == 0)
			go_inside();
		fflush(stdout);
	}
	umask(022);
	if (syscall(SYS_close_range, 3, ~0U, 0) || chdir("/"))
		die("end");
	print_tree(outer_dir);
	return 0;
}
