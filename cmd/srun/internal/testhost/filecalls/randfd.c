#include "random.h"

enum { HELD = 8 };
static int held[HELD], used;

int any_held(void) { return used && !one_in(8) ? held[pick((uint64_t)used)] : 3 + (int)pick(20); }

/* place writes where a descriptor leads, and tells whether that is outside of
 * the directory of the calls. */
static bool place(int fd, char *out, size_t room)
{
	static char link[64], target[8192];
	sprintf(link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof target - 1);
	target[n > 0 ? n : 0] = 0;
	if (strstr(target, "/#") && strstr(target, " (deleted)"))
		strcpy(target, "tmpfile"); /* its number is another each time */
	if (!strncmp(target, "socket:", 7) || !strncmp(target, "pipe:", 5))
		strchr(target, ':')[1] = 0;
	if (!strncmp(target, "/proc/", 6))
		memcpy(target + 6, "PID", 4); /* a link there, opened itself */
	quote_path(target, out, room);
	return out[0] == '^' || out[0] == '/';
}

static void drop(int i)
{
	close(held[i]);
	held[i] = held[--used];
}

/* any_dirfd is mostly the working directory, then one that is open. The upper
 * half of the register is not part of it. */
long any_dirfd(void)
{
	static const int odd[] = {-1, 999999, -99, 2};
	long fd = AT_FDCWD;
	if (used && one_in(3)) {
		int i = (int)pick((uint64_t)used);
		char at[512];
		struct stat st;
		bool odd_one = fstat(held[i], &st) || (!S_ISDIR(st.st_mode) && !one_in(8));
		if (place(held[i], at, sizeof at))
			drop(i);
		else if (odd_one)
			fd = AT_FDCWD;
		else
			fd = held[i];
	} else if (one_in(20)) {
		fd = odd[pick(4)];
	}
	printf("%s, ", fd == AT_FDCWD ? "cwd" : text("%ld", fd));
	if (!i386 && one_in(10))
		fd = (long)((uint64_t)fd ^ 0x5a00000000000000u);
	return fd;
}

/* hold_or_close prints nothing, for what is open shows in later numbers. */
void hold_or_close(int fd)
{
	if (one_in(2)) {
		close(fd);
		return;
	}
	if (used == HELD)
		drop((int)pick(HELD));
	held[used++] = fd;
}

void close_one(void)
{
	if (used)
		drop((int)pick((uint64_t)used));
}

/* describe says all of a new descriptor that may differ. */
void describe(int fd)
{
	struct stat st;
	char at[512];
	place(fd, at, sizeof at);
	if (fstat(fd, &st)) {
		printf(" fstat=%s", err_name(-errno));
		return;
	}
	printf(" fl=%o fd=%d at=%s mode=%06o %s:%s links=%ld", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), at, st.st_mode,
		st.st_uid == geteuid() ? "me" : "other", st.st_gid == getegid() ? "me" : "other", S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
	if (S_ISREG(st.st_mode))
		printf(" size=%ld pos=%ld", (long)st.st_size, (long)lseek(fd, 0, SEEK_CUR));
}

void write_some(int fd)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	static char bytes[64];
	size_t n = 1 + pick(20);
	memset(bytes, 'A' + (int)pick(26), n);
	ssize_t wrote = write(fd, bytes, n);
	printf(" write=%s", err_name(wrote < 0 ? -errno : wrote));
	ssize_t got = pread(fd, bytes, sizeof bytes, 0);
	printf(" read=%s", err_name(got < 0 ? -errno : got));
}
