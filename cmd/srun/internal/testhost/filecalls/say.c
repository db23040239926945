#include "calls.h"
#include <ctype.h>

void die(const char *what)
{
	fprintf(stderr, "filecalls: %s: %s\n", what, strerror(errno));
	_exit(2);
}

/* err_name is the name of -r, or the number itself of a success. */
const char *err_name(long r)
{
	if (r >= 0 || r < -4095)
		return text("%ld", r);
#if __GLIBC_PREREQ(2, 32)
	const char *name = strerrorname_np((int)-r);
	if (name)
		return name;
#endif
	return text("errno %ld", -r);
}

void say(const char *what, long r)
{
	printf("  %s: %s\n", what, err_name(r));
	fflush(stdout);
}

/* quote writes s so that it stays on one line, the middle of a long one left
 * out. */
void quote(const char *s, char *out, size_t room)
{
	size_t len = strlen(s), n = 0;
	for (size_t i = 0; i < len && n + 40 < room; i++) {
		if (len > 100 && i == 30) {
			n += (size_t)snprintf(out + n, room - n, "..(%zu)..", len);
			i = len - 20;
		}
		unsigned char c = (unsigned char)s[i];
		if (isascii(c) && isprint(c) && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, room - n, "\\x%02x", c);
	}
	out[n] = 0;
}

const char *inner_dir, *outer_dir;

void quote_path(const char *s, char *out, size_t room)
{
	static char short_form[20000];
	const char *dirs[] = {inner_dir, outer_dir};
	for (int i = 0; i < 2; i++) {
		const char *at = dirs[i] ? strstr(s, dirs[i]) : NULL;
		if (at) {
			snprintf(short_form, sizeof short_form, "%.*s%c%s", (int)(at - s), s, "$^"[i], at + strlen(dirs[i]));
			s = short_form;
			break;
		}
	}
	quote(s, out, room);
}

void show(const char *s)
{
	char line[1024];
	quote(s, line, sizeof line);
	printf("  %s\n", line);
	fflush(stdout);
}

long open_at(const char *path, int flags, int mode)
{
	return CALL(OPENAT, (long)AT_FDCWD, (long)path, (long)flags, (long)mode);
}

void put(const char *path, const char *content)
{
	long fd = open_at(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0) {
		say(path, fd);
		return;
	}
	if (write((int)fd, content, strlen(content)) != (ssize_t)strlen(content))
		say("short write", -errno);
	close((int)fd);
}

void content_of(const char *path)
{
	char buf[64], line[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
	if (n < 0) {
		printf("  %s: content: %s\n", path, err_name(-errno));
		n = 0;
	} else {
		buf[n] = 0;
		quote(buf, line, sizeof line);
		printf("  %s holds '%s'\n", path, line);
	}
	fflush(stdout);
	if (fd >= 0)
		close(fd);
}
