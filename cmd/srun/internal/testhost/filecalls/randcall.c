#include "random.h"
#include <sys/socket.h>
#include <sys/un.h>

void result(long r) { printf(") = %s\n", err_name(r)); }

static void start(enum call_nr nr) { printf("%s(", call_name(nr)); }

static char *path_of(struct path *p)
{
	any_path(p);
	printf("%s", p->shown);
	return p->ptr;
}

static void do_mkdir(void)
{
	struct path p;
	bool at = !has(MKDIR) || one_in(2);
	start(at ? MKDIRAT : MKDIR);
	long dirfd = at ? any_dirfd() : 0, ptr = (long)path_of(&p), mode = any_mode();
	result(at ? CALL(MKDIRAT, dirfd, ptr, mode) : CALL(MKDIR, ptr, mode));
}

static void do_mknod(void)
{
	static const long types[] = {S_IFIFO, S_IFIFO, S_IFSOCK, S_IFREG, 0, S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK, 0110000};
	struct path p;
	bool at = !has(MKNOD) || one_in(2);
	start(at ? MKNODAT : MKNOD);
	long dirfd = at ? any_dirfd() : 0, ptr = (long)path_of(&p), type = types[pick(10)], mode = any_mode() % 010000;
	long dev = one_in(2) ? 0 : 0x103;
	printf("|0%lo, %lx", type, dev);
	result(at ? CALL(MKNODAT, dirfd, ptr, mode | type, dev) : CALL(MKNOD, ptr, mode | type, dev));
}

static void do_link(void)
{
	static const long flags[] = {0, 0, 0, AT_SYMLINK_FOLLOW, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, AT_EMPTY_PATH | AT_SYMLINK_FOLLOW, 1};
	struct path from, to;
	if (has(LINK) && one_in(3)) {
		start(LINK);
		long a = (long)path_of(&from);
		printf(", ");
		result(CALL(LINK, a, (long)path_of(&to)));
		return;
	}
	start(LINKAT);
	/* A descriptor itself, as who made it by O_TMPFILE gives it a name. */
	bool itself = one_in(3);
	static char empty[1], proc[64];
	long f = flags[pick(8)], olddir, a;
	if (itself) {
		int fd = any_held();
		bool by_proc = one_in(2);
		snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
		olddir = by_proc ? AT_FDCWD : fd, a = (long)(by_proc ? proc : empty);
		f = by_proc ? AT_SYMLINK_FOLLOW : AT_EMPTY_PATH;
		printf("%s %d", by_proc ? "proc" : "itself", fd);
	} else {
		olddir = any_dirfd(), a = (long)path_of(&from);
	}
	printf(", ");
	long newdir = any_dirfd(), b = (long)path_of(&to);
	printf(", %lx", f);
	result(CALL(LINKAT, olddir, a, newdir, b, f));
}

static void do_symlink(void)
{
	struct path target, p;
	bool at = !has(SYMLINK) || one_in(2);
	start(at ? SYMLINKAT : SYMLINK);
	long a = (long)path_of(&target);
	printf(", ");
	long dirfd = at ? any_dirfd() : 0, b = (long)path_of(&p);
	result(at ? CALL(SYMLINKAT, a, dirfd, b) : CALL(SYMLINK, a, b));
}

static void do_rename(void)
{
	static const long flags[] = {0, 1, 1, 2, 2, 4, 3, 5, 6, 8};
	struct path from, to;
	enum call_nr nr = has(RENAME) && one_in(3) ? RENAME : has(RENAMEAT) && one_in(2) ? RENAMEAT : RENAMEAT2;
	start(nr);
	long olddir = nr == RENAME ? 0 : any_dirfd(), a = (long)path_of(&from);
	printf(", ");
	long newdir = nr == RENAME ? 0 : any_dirfd(), b = (long)path_of(&to);
	if (nr == RENAME)
		result(CALL(RENAME, a, b));
	else if (nr == RENAMEAT)
		result(CALL(RENAMEAT, olddir, a, newdir, b));
	else {
		long f = flags[pick(10)];
		printf(", %lx", f);
		result(CALL(RENAMEAT2, olddir, a, newdir, b, f));
	}
}

static void do_unlink(void)
{
	static const long flags[] = {0, 0, 0, AT_REMOVEDIR, AT_REMOVEDIR, 1};
	struct path p;
	enum call_nr nr = has(UNLINK) && one_in(3) ? UNLINK : has(RMDIR) && one_in(3) ? RMDIR : UNLINKAT;
	start(nr);
	long dirfd = nr == UNLINKAT ? any_dirfd() : 0, ptr = (long)path_of(&p);
	if (nr != UNLINKAT) {
		result(CALL(nr, ptr));
		return;
	}
	long f = flags[pick(6)];
	printf(", %lx", f);
	result(CALL(UNLINKAT, dirfd, ptr, f));
}

static void do_truncate(void)
{
	static const long sizes[] = {0, 1, 7, 7, 100, 5000, -1, 1L << 33, INT64_MIN, INT64_MAX};
	struct path p;
	start(TRUNCATE);
	long ptr = (long)path_of(&p), size = sizes[pick(10)];
	printf(", %ld", size);
	result(CALL(TRUNCATE, ptr, size));
}

/* do_bind has a path in the address, with its zero or cut short. */
static void do_bind(void)
{
	static struct sockaddr_un addr, got;
	struct path p;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	start(BIND);
	bind_path(&p);
	memset(&addr, 'z', sizeof addr);
	addr.sun_family = AF_UNIX;
	strncpy(addr.sun_path, p.ptr, sizeof addr.sun_path);
	size_t n = strlen(p.ptr) + pick(2);
	long len = (long)(sizeof addr.sun_family + (n ? n : 1));
	if (one_in(10) && fchmod(fd, 0640) == 0)
		printf("fchmod ");
	by_socketcall = one_in(2);
	printf("%s, %ld", p.shown, len);
	long r = CALL(BIND, (long)fd, (long)&addr, len);
	socklen_t size = sizeof got;
	memset(&got, 0, sizeof got);
	getsockname(fd, (struct sockaddr *)&got, &size);
	char name[512];
	snprintf(name, sizeof name, "%.108s", got.sun_path);
	char shown[512];
	quote(name, shown, sizeof shown);
	printf(") = %s name=%u \"%s\"\n", err_name(r), size, shown);
	close(fd);
}

static void do_chdir(void)
{
	struct path p;
	if (one_in(3)) {
		int fd = any_held();
		printf("fchdir(%d) = %s\n", fd, err_name(fchdir(fd) ? -errno : 0));
		return;
	}
	any_path(&p);
	printf("chdir(%s) = %s\n", p.shown, err_name(chdir(p.ptr) ? -errno : 0));
}

static void do_other(void)
{
	static const mode_t masks[] = {0, 022, 022, 027, 077, 0177, 0, 0777};
	static const mode_t modes[] = {02775, 0755, 0755, 0555, 0311, 01777, 0644, 04755};
	struct path p;
	mode_t mask = masks[pick(8)], mode = modes[pick(8)];
	switch (pick(5)) {
	case 0: case 1:
		printf("umask(0%o) = 0%o\n", mask, umask(mask));
		break;
	case 2:
		any_path(&p);
		printf("chmod(%s, 0%o) = %s\n", p.shown, mode, err_name(chmod(p.ptr, mode) ? -errno : 0));
		break;
	case 3:
		printf("write");
		write_some(any_held());
		putchar('\n');
		break;
	default:
		close_one();
		puts("close");
	}
}

void random_call(void)
{
	static const struct {
		void (*run)(void);
		uint64_t weight;
		bool bare_fd;
	} calls[] = {
		{random_open, 40, true}, {do_mkdir, 9, false}, {do_mknod, 5, false}, {do_link, 8, false},
		{do_symlink, 6, false}, {do_rename, 12, false}, {do_unlink, 9, false},
		{do_truncate, 4, true}, {do_bind, 4, false},
		{do_chdir, 4, true}, {do_other, 7, true},
	};
	uint64_t n = pick(108);
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		bare_fd = calls[i].bare_fd;
		if (n < calls[i].weight) {
			calls[i].run();
			return;
		}
		n -= calls[i].weight;
	}
}
