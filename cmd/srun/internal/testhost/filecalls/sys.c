#include "calls.h"
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A processor without the older forms of a call. */
#ifndef SYS_open
#define SYS_open -1
#define SYS_creat -1
#define SYS_mkdir -1
#define SYS_mknod -1
#define SYS_link -1
#define SYS_symlink -1
#define SYS_rename -1
#define SYS_unlink -1
#define SYS_rmdir -1
#endif
#ifndef SYS_renameat
#define SYS_renameat -1
#endif

static const struct {
	const char *name;
	long native, i386;
} calls[] = {
	[OPEN] = {"open", SYS_open, 5},
	[OPENAT] = {"openat", SYS_openat, 295},
	[CREAT] = {"creat", SYS_creat, 8},
	[MKDIR] = {"mkdir", SYS_mkdir, 39},
	[MKDIRAT] = {"mkdirat", SYS_mkdirat, 296},
	[MKNOD] = {"mknod", SYS_mknod, 14},
	[MKNODAT] = {"mknodat", SYS_mknodat, 297},
	[LINK] = {"link", SYS_link, 9},
	[LINKAT] = {"linkat", SYS_linkat, 303},
	[SYMLINK] = {"symlink", SYS_symlink, 83},
	[SYMLINKAT] = {"symlinkat", SYS_symlinkat, 304},
	[RENAME] = {"rename", SYS_rename, 38},
	[RENAMEAT] = {"renameat", SYS_renameat, 302},
	[RENAMEAT2] = {"renameat2", SYS_renameat2, 353},
	[UNLINK] = {"unlink", SYS_unlink, 10},
	[UNLINKAT] = {"unlinkat", SYS_unlinkat, 301},
	[RMDIR] = {"rmdir", SYS_rmdir, 40},
	[TRUNCATE] = {"truncate", SYS_truncate, 92},
	[BIND] = {"bind", SYS_bind, 361},
};

/* i386: by int $0x80. by_socketcall: bind by the one call for all of sockets. */
bool i386, by_socketcall;
int slowness = 1;

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c, long d, long e)
{
	long r;
	register long first __asm__("r12") = a;
	__asm__ volatile("push %%rbx; mov %%r12, %%rbx; int $0x80; pop %%rbx"
		: "=a"(r) : "a"(nr), "r"(first), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}
#else
static long int80(long nr, ...)
{
	(void)nr;
	return -ENOSYS;
}
#endif

static long call_i386(enum call_nr nr, const long *a)
{
	if (nr == TRUNCATE && (a[1] > INT32_MAX || a[1] < INT32_MIN))
		return int80(193, a[0], a[1] & 0xffffffff, a[1] >> 32, 0, 0); /* truncate64 */
	if (nr == BIND && by_socketcall) {
		static _Thread_local uint32_t *args;
		if (!args)
			args = (uint32_t *)low_pages(1);
		for (int i = 0; i < 3; i++)
			args[i] = (uint32_t)a[i];
		return int80(102, 2, (long)args, 0, 0, 0);
	}
	return int80(calls[nr].i386, a[0], a[1], a[2], a[3], a[4]);
}

/* call makes a call with five arguments, which are longs, and returns what the
 * kernel does: -errno. Most callers say CALL. */
long call(enum call_nr nr, ...)
{
	long a[5];
	va_list list;
	va_start(list, nr);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (i386)
		return call_i386(nr, a);
	long r = syscall(calls[nr].native, a[0], a[1], a[2], a[3], a[4]);
	return r == -1 ? -errno : r;
}

bool has(enum call_nr nr) { return i386 || calls[nr].native >= 0; }
const char *call_name(enum call_nr nr) { return calls[nr].name; }

/* abi_works tells whether the kernel knows the ABI; without it the instruction
 * is a fault. */
bool abi_works(void)
{
	if (!i386)
		return true;
	pid_t pid = fork();
	if (pid == 0)
		_exit(int80(20, 0, 0, 0, 0, 0) != getpid());
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0;
}

char *low_pages(int n)
{
#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif
	void *p = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

char *border(const char *s, size_t len)
{
	static char *pages;
	if (!pages) {
		pages = low_pages(4);
		if (munmap(pages + 3 * 4096, 4096))
			die("munmap");
	}
	return memcpy(pages + 3 * 4096 - len, s, len);
}

/* text formats into static memory, from a ring that is long enough for a few
 * threads. */
char *text(const char *format, ...)
{
	static char ring[4096][128];
	static unsigned next;
	char *out = ring[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 4096];
	va_list list;
	va_start(list, format);
	vsnprintf(out, sizeof ring[0], format, list);
	va_end(list);
	return out;
}
