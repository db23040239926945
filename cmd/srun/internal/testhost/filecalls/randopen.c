#include "random.h"

static const struct {
	int flag;
	const char *name;
	uint64_t odds;
} flags[] = {
	{O_CREAT, "CREAT", 2}, {O_EXCL, "EXCL", 6}, {O_TRUNC, "TRUNC", 4}, {O_APPEND, "APPEND", 6},
	{O_NONBLOCK, "NONBLOCK", 8}, {O_NOFOLLOW, "NOFOLLOW", 8}, {O_DIRECTORY, "DIRECTORY", 10}, {O_CLOEXEC, "CLOEXEC", 3},
	{O_PATH, "PATH", 12}, {O_TMPFILE, "TMPFILE", 12}, {O_DIRECT, "DIRECT", 20}, {O_DSYNC, "DSYNC", 20},
	{O_SYNC, "SYNC", 20}, {O_NOATIME, "NOATIME", 20}, {O_ASYNC, "ASYNC", 20}, {O_NOCTTY, "NOCTTY", 10},
	{0100000, "LARGEFILE", 8}, {040000000, "BIT23", 40}, {0x40000000, "BIT30", 40},
};

/* would_block tells whether a FIFO without a peer is there. */
static bool would_block(long dirfd, const struct path *p, int f)
{
	struct stat st;
	int access = f & O_ACCMODE;
	if (f & (O_NONBLOCK | O_PATH) || access == O_RDWR || access == O_ACCMODE)
		return false;
	return !fstatat((int)dirfd, p->ptr, &st, 0) && S_ISFIFO(st.st_mode);
}

static int any_flags(void)
{
	static const char *const access[] = {"RDONLY", "WRONLY", "RDWR", "3"};
	int f = (int)pick(one_in(6) ? 4 : 3);
	printf("%s", access[f]);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (one_in(flags[i].odds)) {
			f |= flags[i].flag;
			printf("|%s", flags[i].name);
		}
	return f;
}

long any_mode(void)
{
	static const long modes[] = {0644, 0600, 0755, 0700, 0666, 0777, 0777, 0, 07777, 04755, 02755, 02770, 01777, 0444, 0311, 0100644};
	long mode = one_in(6) ? (long)pick(010000) : modes[pick(16)];
	printf(", 0%lo", mode);
	return mode;
}

static long high_bits(long v) { return !i386 && one_in(12) ? (long)((uint64_t)v | 0x300000000u) : v; }

void random_open(void)
{
	enum call_nr nr = has(OPEN) && one_in(4) ? OPEN : has(CREAT) && one_in(8) ? CREAT : OPENAT;
	struct path p;
	printf("%s(", call_name(nr));
	long dirfd = nr == OPENAT ? any_dirfd() : AT_FDCWD;
	any_path(&p);
	printf("%s%s", p.shown, nr == CREAT ? "" : ", ");
	int f = nr == CREAT ? O_CREAT | O_WRONLY | O_TRUNC : any_flags();
	if (would_block(dirfd, &p, f)) {
		if (nr == CREAT) {
			printf("would block\n");
			return;
		}
		printf("|nonblock");
		f |= O_NONBLOCK;
	}
	long mode = any_mode();
	long r = nr == OPENAT ? CALL(OPENAT, dirfd, (long)p.ptr, high_bits(f), high_bits(mode))
		: nr == OPEN  ? CALL(OPEN, (long)p.ptr, high_bits(f), high_bits(mode))
			      : CALL(CREAT, (long)p.ptr, high_bits(mode));
	printf(") = %s", err_name(r));
	if (r >= 0) {
		describe((int)r);
		if (one_in(2))
			write_some((int)r);
		hold_or_close((int)r);
	}
	putchar('\n');
}
