#include "random.h"
#include <limits.h>

/* Few names, so that calls meet. */
static const char *const base[] = {"a", "b", "c", "d", "e", "l", "m", "o", "g", "f", "h", "i", "j", "x\n\xff"};

void any_name(char *out, size_t room) { snprintf(out, room, "%s", base[pick(sizeof base / sizeof base[0])]); }

static void add(char *out, const char *s) { strcat(out, s); }

static void relative(char *out)
{
	static const uint64_t parts_of[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 3};
	static const char *const dirs[] = {"c", "d", "m", "h"};
	char name[32];
	uint64_t parts = parts_of[pick(10)];
	for (uint64_t i = 0; i < parts; i++) {
		if (i)
			add(out, one_in(12) ? "//" : "/");
		if (one_in(12))
			add(out, one_in(2) ? "./" : "../");
		/* What leads on is a directory or a link to one, mostly. */
		if (i + 1 < parts && !one_in(3))
			strcpy(name, dirs[pick(4)]);
		else
			any_name(name, sizeof name);
		add(out, name);
	}
	switch (pick(60)) {
	case 0: case 1: case 2: add(out, "/"); break;
	case 3: add(out, "/."); break;
	case 4: add(out, "/.."); break;
	case 5: strcpy(out, one_in(2) ? "." : ".."); break;
	case 6: add(out, "//./"); break;
	}
}

/* padded makes a path of so many bytes without the zero, that leads to a name. */
static void padded(char *out, size_t len)
{
	char tail[64] = "";
	relative(tail);
	if (one_in(2)) {
		strcpy(out, inner_dir);
		add(out, "/");
	}
	size_t n = strlen(out), end = len - strlen(tail);
	while (n + 1 < end)
		out[n++] = '.', out[n++] = '/';
	if (n < end)
		out[n++] = '/';
	strcpy(out + n, tail);
}

/* bare_fd: a descriptor's own name in /proc may be the path. Not for what makes
 * or removes names: in the sandbox /proc is read-only, which shows first. */
bool bare_fd;

/* Not below 3, which are the output of this program. */
static void by_descriptor(char *out)
{
	static const char *const dirs[] = {"/proc/self/fd", "/dev/fd", "/proc/thread-self/fd"};
	sprintf(out, "%s/%d", dirs[pick(3)], any_held());
	if (!bare_fd || one_in(2)) {
		add(out, "/");
		relative(out + strlen(out));
	}
}

static void long_name(char *out, size_t n)
{
	if (one_in(2))
		add(out, "c/");
	size_t at = strlen(out);
	memset(out + at, 'n', n);
	out[at + n] = 0;
}

static bool bad_pointer(struct path *p)
{
	static const unsigned long bad[] = {0, 1, 0xf0000000, 0xffff800000000000, ~0UL};
	uint64_t i = pick(i386 ? 3 : sizeof bad / sizeof bad[0]);
	p->ptr = (char *)bad[i];
	snprintf(p->shown, sizeof p->shown, "0x%lx", bad[i]);
	return true;
}

/* at_border puts the path before unmapped memory, with its zero or without. */
static void at_border(struct path *p, const char *s)
{
	bool whole = !one_in(3);
	char line[200];
	quote_path(s, line, sizeof line);
	p->ptr = border(s, strlen(s) + whole);
	snprintf(p->shown, sizeof p->shown, "%s\"%s\"", whole ? "border " : "unmapped ", line);
}

static char *buffer(void)
{
	static char buffers[4][16384];
	static int next;
	char *out = buffers[next++ % 4];
	out[0] = 0;
	return out;
}

static void finish(struct path *p, char *s)
{
	char line[200];
	quote_path(s, line, sizeof line);
	p->ptr = s;
	snprintf(p->shown, sizeof p->shown, "\"%s\"", line);
}

void any_path(struct path *p)
{
	char *s = buffer();
	switch (pick(60)) {
	case 0: bad_pointer(p); return;
	case 1: break;
	case 2: long_name(s, NAME_MAX); break;
	case 3: long_name(s, NAME_MAX + 1); break;
	case 4: padded(s, PATH_MAX - 1); break;
	case 5: padded(s, PATH_MAX); break;
	case 6: padded(s, PATH_MAX + 200); break;
	case 7: case 8: relative(s); at_border(p, s); return;
	case 9: case 10: case 11: by_descriptor(s); break;
	case 12: strcpy(s, "/proc/self/cwd/"); relative(s + strlen(s)); break;
	case 13: sprintf(s, "/proc/self/root%s/", inner_dir); relative(s + strlen(s)); break;
	case 14: case 15: case 16: case 17: case 18: case 19:
		sprintf(s, "%s%s/", one_in(4) ? "//" : "", inner_dir);
		relative(s + strlen(s));
		break;
	default: relative(s);
	}
	finish(p, s);
}

/* bind_path fits an address, mostly. */
void bind_path(struct path *p)
{
	char *s = buffer();
	switch (pick(8)) {
	case 0: long_name(s, 105 + pick(4)); break;
	case 1: by_descriptor(s); break;
	case 2: strcpy(s, "/proc/self/cwd/"); relative(s + strlen(s)); break;
	default: relative(s);
	}
	finish(p, s);
}
