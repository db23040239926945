#include "calls.h"
#include <dirent.h>
#include <time.h>

static time_t started;

void start_clock(void) { started = time(NULL); }

/* Names of a directory, sorted. The caller frees. */
static int names(int fd, struct dirent ***list)
{
	return scandirat(fd, ".", list, NULL, alphasort);
}

static bool is_dot(const char *name) { return !strcmp(name, ".") || !strcmp(name, ".."); }

/* Every file gets a time long ago, so that whatever touches one shows. */
static const struct timespec old[2] = {{1000000, 0}, {1000000, 0}};

static void age(int dir)
{
	struct dirent **list;
	int n = names(dir, &list);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		int fd = is_dot(name) ? -1 : openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			age(fd);
			close(fd);
		}
		if (!is_dot(name))
			utimensat(dir, name, old, AT_SYMLINK_NOFOLLOW);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

void age_tree(const char *top)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(top);
	age(fd);
	close(fd);
}

static uint64_t hash(int dir, const char *name, mode_t mode)
{
	/* The file's own mode comes back: it may have other names. */
	fchmodat(dir, name, mode | 0400, 0);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	fchmodat(dir, name, mode & 07777, 0);
	uint64_t h = 14695981039346656037u;
	char buf[4096];
	for (ssize_t n; fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0;)
		for (ssize_t i = 0; i < n; i++)
			h = (h ^ (unsigned char)buf[i]) * 1099511628211u;
	if (fd >= 0)
		close(fd);
	return h;
}

static const char *moved(time_t t)
{
	if (t == old[0].tv_sec)
		return "old";
	return t >= started - 1 && t <= time(NULL) + 1 ? "new" : "odd";
}

static void print_entry(int dir, const char *path, const char *name)
{
	struct stat st;
	char line[1024];
	quote_path(path, line, sizeof line);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		printf("%s %s\n", line, err_name(-errno));
		return;
	}
	printf("%s %06o %s:%s links=%ld m=%s c=%s", line, st.st_mode, st.st_uid == geteuid() ? "me" : text("%u", st.st_uid),
		st.st_gid == getegid() ? "me" : text("%u", st.st_gid), (long)st.st_nlink, moved(st.st_mtime), moved(st.st_ctime));
	if (S_ISREG(st.st_mode) && st.st_size > 1 << 20)
		printf(" size=%ld", (long)st.st_size);
	else if (S_ISREG(st.st_mode))
		printf(" size=%ld hash=%016lx", (long)st.st_size, (unsigned long)hash(dir, name, st.st_mode));
	static char target[8192];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	if (n >= 0) {
		target[n] = 0;
		quote_path(target, line, sizeof line);
		printf(" -> %s", line);
	}
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" dev=%lx", (unsigned long)st.st_rdev);
	putchar('\n');
}

static void print(int dir, const char *path)
{
	struct dirent **list;
	int n = names(dir, &list);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		struct stat st;
		if (!is_dot(name)) {
			char *below = NULL;
			if (asprintf(&below, "%s/%s", path, name) < 0)
				die("asprintf");
			print_entry(dir, below, name);
			if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode)) {
				fchmodat(dir, name, st.st_mode | 0700, 0);
				int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
				print(fd, below);
				close(fd);
			}
			free(below);
		}
		free(list[i]);
	}
	if (n < 0)
		printf("%s: %s\n", strrchr(path, '/'), err_name(-errno));
	else
		free(list);
}

/* print_tree lists all below top, and lets its owner into every directory. */
void print_tree(const char *top)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(top);
	print(fd, top);
	close(fd);
}
