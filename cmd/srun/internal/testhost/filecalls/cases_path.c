/* Cases of paths, names, modes and what is opened. */
#include "calls.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static long make_dir(const char *p, int mode) { return CALL(MKDIRAT, (long)AT_FDCWD, (long)p, (long)mode); }
static long make_link(const char *a, const char *b) { return CALL(SYMLINKAT, (long)a, (long)AT_FDCWD, (long)b); }
static long move(const char *a, const char *b, int f)
{
	return CALL(RENAMEAT2, (long)AT_FDCWD, (long)a, (long)AT_FDCWD, (long)b, (long)f);
}
static long hard_link(int fd, const char *a, const char *b, int f)
{
	return CALL(LINKAT, (long)fd, (long)a, (long)AT_FDCWD, (long)b, (long)f);
}

static long shut(long fd)
{
	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? fd : 0;
}

static void deleted_cwd(void)
{
	make_dir("gone", 0755);
	put("x", "x");
	if (chdir("gone") || rmdir("../gone"))
		die("gone");
	say("open", open_at("new", O_CREAT | O_WRONLY, 0644));
	say("open existing", open_at("old", O_WRONLY, 0));
	say("open .", shut(open_at(".", O_RDONLY, 0)));
	say("tmpfile", shut(open_at(".", O_TMPFILE | O_RDWR, 0600)));
	say("mkdir", make_dir("dir", 0755));
	say("symlink", make_link("a", "b"));
	say("link", hard_link(AT_FDCWD, "../x", "y", 0));
	say("rename in", move("../x", "y", 0));
	say("create above", shut(open_at("../above", O_CREAT | O_WRONLY | O_EXCL, 0644)));
	say("mkdir above", make_dir("../dir", 0755));
	say("back", chdir("..") ? -errno : 0);
	say("there", access("above", F_OK));
}

static void directories(void)
{
	make_dir("d", 0755);
	make_link("d", "to-d");
	make_link("nowhere", "dangling");
	static const int flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_TRUNC | O_WRONLY, O_CREAT | O_DIRECTORY,
		O_DIRECTORY | O_WRONLY, O_PATH | O_CREAT, O_PATH | O_TRUNC | O_WRONLY, O_CREAT | O_NOFOLLOW, O_CREAT | O_WRONLY | O_NOFOLLOW};
	static const char *const paths[] = {"d", "d/", "d/.", "d/..", "to-d", "to-d/", "new", "new/", "new2/.", "dangling", "dangling/", ".", "/"};
	for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++)
		for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
			say(text("%o %s", flags[f], paths[p]), shut(open_at(paths[p], flags[f], 0644)));
			unlink("new");
			unlink("nowhere");
		}
}

static void tmpfile_links(void)
{
	static char proc[64], empty[1];
	for (int excl = 0; excl < 2; excl++) {
		umask(excl ? 0 : 027);
		long fd = open_at(".", O_TMPFILE | O_RDWR | (excl ? O_EXCL : 0), 0666);
		struct stat st;
		if (fd < 0 || fstat((int)fd, &st)) {
			say("tmpfile", fd);
			continue;
		}
		printf("  mode %06o links %ld\n", st.st_mode, (long)st.st_nlink);
		say("write", write((int)fd, "data", 4));
		snprintf(proc, sizeof proc, "/proc/self/fd/%ld", fd);
		say("reopen", shut(open_at(proc, O_RDONLY, 0)));
		say("link by /proc", hard_link(AT_FDCWD, proc, text("by-proc-%d", excl), AT_SYMLINK_FOLLOW));
		say("link itself", hard_link((int)fd, empty, text("itself-%d", excl), AT_EMPTY_PATH));
		say("again", hard_link(AT_FDCWD, proc, text("by-proc-%d", excl), AT_SYMLINK_FOLLOW));
		content_of(text("by-proc-%d", excl));
		close((int)fd);
	}
	say("read only", open_at(".", O_TMPFILE, 0600));
	say("missing", open_at("none", O_TMPFILE | O_RDWR, 0600));
	put("file", "");
	say("file", open_at("file", O_TMPFILE | O_RDWR, 0600));
}

/* A descriptor of a file that has no name any more gets none. */
static void unlinked(void)
{
	static char proc[64];
	put("file", "data");
	long fd = open_at("file", O_RDWR, 0);
	unlink("file");
	snprintf(proc, sizeof proc, "/proc/self/fd/%ld", fd);
	say("link", hard_link(AT_FDCWD, proc, "again", AT_SYMLINK_FOLLOW));
	long two = open_at(proc, O_RDWR | O_TRUNC, 0);
	say("reopened", two < 0 ? two : 0);
	struct stat st;
	say("size", fstat((int)fd, &st) ? -errno : st.st_size);
	say("create", open_at(proc, O_RDWR | O_CREAT | O_EXCL, 0600));
	put("file", "another");
	say("truncate", CALL(TRUNCATE, (long)proc, 9L));
	say("size", fstat((int)fd, &st) ? -errno : st.st_size);
	content_of("file");
}

static void faults(void)
{
	static char good[] = "good";
	char *all = low_pages(3);
	memset(all, 'x', 3 * 4096);
	if (munmap(all + 2 * 4096, 4096))
		die("munmap");
	long cwd = AT_FDCWD, flags = O_CREAT | O_WRONLY, bad = (long)border("name", 4);
	put("file", "data");
	say("unmapped", CALL(OPENAT, cwd, bad, flags, 0644L));
	say("unmapped, bad fd", CALL(OPENAT, -5L, bad, flags, 0644L));
	say("null, bad flags", CALL(OPENAT, cwd, 0L, (long)(O_TMPFILE | O_CREAT), 0644L));
	say("long, then unmapped", CALL(OPENAT, cwd, (long)all, flags, 0644L));
	say("at the border", shut(CALL(OPENAT, cwd, (long)border("name", 5), flags, 0644L)));
	say("mkdirat", CALL(MKDIRAT, cwd, bad, 0755L));
	say("mknodat", CALL(MKNODAT, cwd, bad, (long)S_IFIFO, 0L));
	say("mknodat type", CALL(MKNODAT, cwd, bad, (long)S_IFDIR, 0L));
	say("linkat from", CALL(LINKAT, cwd, bad, cwd, (long)good, 0L));
	say("linkat to", CALL(LINKAT, cwd, (long)"file", cwd, bad, 0L));
	say("linkat none, to", CALL(LINKAT, cwd, (long)"none", cwd, bad, 0L));
	say("linkat flags", CALL(LINKAT, cwd, bad, cwd, bad, 1L));
	say("symlinkat target", CALL(SYMLINKAT, bad, cwd, (long)good));
	say("symlinkat path", CALL(SYMLINKAT, (long)good, cwd, bad));
	say("symlinkat empty", CALL(SYMLINKAT, (long)"", cwd, bad));
	say("renameat2 from", CALL(RENAMEAT2, cwd, bad, cwd, (long)good, 0L));
	say("renameat2 to", CALL(RENAMEAT2, cwd, (long)"file", cwd, bad, 0L));
	say("renameat2 flags", CALL(RENAMEAT2, cwd, bad, cwd, bad, 64L));
	say("renameat2 none, to", CALL(RENAMEAT2, cwd, (long)"none", cwd, bad, 0L));
	say("unlinkat", CALL(UNLINKAT, cwd, bad, 0L));
	say("truncate", CALL(TRUNCATE, bad, 5L));
	say("truncate negative", CALL(TRUNCATE, bad, -5L));
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	say("bind", CALL(BIND, (long)s, bad, 4L));
	say("bind negative", CALL(BIND, (long)s, (long)good, -1L));
	say("bind long", CALL(BIND, (long)s, (long)good, 4096L));
	say("bind short", CALL(BIND, (long)s, (long)good, 1L));
	say("bind no socket", CALL(BIND, 0L, bad, 4L));
	say("bind closed", CALL(BIND, 999L, bad, 4L));
	content_of("file");
}

static void names(void)
{
	static const char *const odd[] = {"new\nline", "\xff\xfe", "\x01", "back\\slash", " ", "-", "tab\t", "\xe2\x80\xae", "..."};
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		long r = shut(open_at(odd[i], O_CREAT | O_EXCL | O_WRONLY, 0644));
		say(text("%zu", i), r);
		say("mkdir", make_dir(text("%s.d", odd[i]), 0755));
		say("symlink", make_link(odd[i], text("%s.d/%s", odd[i], odd[i])));
		say("rename", move(odd[i], text("%s.r", odd[i]), 0));
	}
	static char name[300];
	for (int n = 254; n <= 257; n++) {
		memset(name, 'n', (size_t)n);
		name[n] = 0;
		say(text("%d", n), shut(open_at(name, O_CREAT | O_WRONLY, 0644)));
		name[0] = 'd';
		say("mkdir", make_dir(name, 0755));
		say("rename", move("...", name, 0));
	}
}

static void modes(void)
{
	static const int masks[] = {0, 022, 077, 0777};
	static const int wanted[] = {0, 0644, 0777, 04755, 02755, 01777, 07777, 0100644, 0170000};
	make_dir("setgid", 0777);
	chmod("setgid", 02777);
	for (int m = 0; m < 4; m++)
		for (int w = 0; w < 9; w++) {
			umask((mode_t)masks[m]);
			int mode = wanted[w];
			struct stat f = {0}, d = {0}, n = {0};
			long a = shut(open_at(text("setgid/f%d%d", m, w), O_CREAT | O_WRONLY, mode));
			long b = make_dir(text("setgid/d%d%d", m, w), mode);
			long c = CALL(MKNODAT, (long)AT_FDCWD, (long)text("setgid/n%d%d", m, w), (long)(S_IFIFO | (mode & 07777)), 0L);
			stat(text("setgid/f%d%d", m, w), &f);
			stat(text("setgid/d%d%d", m, w), &d);
			stat(text("setgid/n%d%d", m, w), &n);
			chmod(text("setgid/d%d%d", m, w), d.st_mode | 0700);
			printf("  %o %o: %s %o, %s %o, %s %o\n", masks[m], mode, err_name(a), f.st_mode, err_name(b), d.st_mode, err_name(c), n.st_mode);
		}
}

/* bind_at binds a new socket and says its name; cut leaves the zero out. */
static int bind_at(int type, const char *path, bool cut)
{
	static struct sockaddr_un addr, got;
	int s = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	memset(&addr, 'z', sizeof addr);
	addr.sun_family = AF_UNIX;
	strncpy(addr.sun_path, path, sizeof addr.sun_path);
	long r = CALL(BIND, (long)s, (long)&addr, (long)(sizeof addr.sun_family + strlen(path) + !cut));
	socklen_t len = sizeof got;
	memset(&got, 0, sizeof got);
	getsockname(s, (struct sockaddr *)&got, &len);
	struct stat st = {0};
	lstat(path, &st);
	printf("  bind %s, name length %u, same %d, mode %06o\n", err_name(r), len, !strcmp(got.sun_path, path), st.st_mode);
	return s;
}

static void binds(void)
{
	static struct sockaddr_un to = {AF_UNIX, "sock"};
	static char name[120];
	umask(027);
	int s = bind_at(SOCK_STREAM, "sock", false);
	say("listen", listen(s, 1) ? -errno : 0);
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	say("connect", connect(c, (struct sockaddr *)&to, sizeof to) ? -errno : 0);
	say("accept", accept(s, NULL, NULL) < 0 ? -errno : 0);
	say("twice", CALL(BIND, (long)s, (long)&to, 7L));
	bind_at(SOCK_STREAM, "sock", false);
	bind_at(SOCK_STREAM, "cut", true);
	bind_at(SOCK_STREAM, "./././seq", false);
	bind_at(SOCK_STREAM, "none/sock", false);
	bind_at(SOCK_STREAM, "slash/", false);
	make_link("target", "dangling");
	bind_at(SOCK_STREAM, "dangling", false);
	bind_at(SOCK_STREAM, "/proc/self/cwd/by-proc", false);
	for (size_t n = 106; n <= 108; n++) {
		memset(name, 'n', n);
		name[n] = 0;
		bind_at(SOCK_STREAM, name, true);
	}
	int m = socket(AF_UNIX, SOCK_STREAM, 0);
	say("fchmod", fchmod(m, 0700) ? -errno : 0);
	memcpy(to.sun_path, "mode", 5);
	say("bind", CALL(BIND, (long)m, (long)&to, 7L));
	struct stat st = {0};
	stat("mode", &st);
	printf("  mode %06o\n", st.st_mode);
}

/* The place itself is in no output, so its length must not count either. */
static void bind_absolute(void)
{
	static char path[4096];
	if (!getcwd(path, sizeof path) || strlen(path) > 90) {
		puts("  too deep");
		return;
	}
	strcat(path, "/abs");
	static struct sockaddr_un addr = {AF_UNIX, ""}, got;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	say("bind", CALL(BIND, (long)s, (long)&addr, (long)(2 + strlen(path) + 1)));
	socklen_t len = sizeof got;
	getsockname(s, (struct sockaddr *)&got, &len);
	say("same", strcmp(got.sun_path, path) == 0);
	say("length", (long)len - (long)strlen(path));
}

/* Descriptors of other directories, and of no directory. */
static void dirfds(void)
{
	static char path[4096];
	if (!getcwd(path, sizeof path))
		die("getcwd");
	make_dir("d", 0755);
	put("file", "data");
	make_link("d", "link");
	long root = open_at("/", O_PATH | O_DIRECTORY, 0), d = open_at("d", O_PATH, 0), f = open_at("file", O_PATH, 0),
	     l = open_at("link", O_PATH | O_NOFOLLOW, 0);
	long flags = O_CREAT | O_EXCL | O_WRONLY;
	strcat(path, "/d/by-root");
	say("by root", shut(CALL(OPENAT, root, (long)path + 1, flags, 0644L)));
	say("by d", shut(CALL(OPENAT, d, (long)"by-d", flags, 0644L)));
	say("by d, up", shut(CALL(OPENAT, d, (long)"../up", flags, 0644L)));
	say("by d, absolute", shut(CALL(OPENAT, d, (long)path, flags, 0644L)));
	say("by file", CALL(OPENAT, f, (long)"x", flags, 0644L));
	say("by file, empty", CALL(OPENAT, f, (long)"", flags, 0644L));
	say("by link", CALL(OPENAT, l, (long)"x", flags, 0644L));
	say("by closed, absolute", CALL(OPENAT, 99L, (long)path, flags, 0644L));
	say("by closed", CALL(OPENAT, 99L, (long)"x", flags, 0644L));
	say("by dot", CALL(MKDIRAT, d, (long)".", 0755L));
	say("by dots", CALL(MKDIRAT, d, (long)"..", 0755L));
	say("moved", move("d", "e", 0));
	say("by moved", shut(CALL(OPENAT, d, (long)"after", flags, 0644L)));
	say("there", access("e/after", F_OK));
}

const struct test_case path_cases[] = {
	{"deleted-cwd", deleted_cwd}, {"directories", directories}, {"tmpfile", tmpfile_links}, {"unlinked", unlinked},
	{"faults", faults}, {"names", names}, {"modes", modes}, {"bind", binds}, {"bind-absolute", bind_absolute},
	{"dirfds", dirfds}, {NULL, NULL},
};
