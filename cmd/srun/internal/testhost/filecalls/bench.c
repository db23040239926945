#include "calls.h"
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static long do_create(const char *name)
{
	long fd = open_at(name, O_CREAT | O_WRONLY | O_EXCL, 0644);
	return fd < 0 ? fd : close((int)fd);
}

static long do_open(const char *name)
{
	long fd = open_at(name, O_WRONLY, 0);
	return fd < 0 ? fd : close((int)fd);
}

static long do_read(const char *name)
{
	long fd = open_at(name, O_RDONLY, 0);
	return fd < 0 ? fd : close((int)fd);
}

static long do_mkdir(const char *name) { return CALL(MKDIRAT, (long)AT_FDCWD, (long)text("%s.d", name), 0755L); }
static long do_rename(const char *name)
{
	return CALL(RENAMEAT2, (long)AT_FDCWD, (long)name, (long)AT_FDCWD, (long)text("%s.r", name), 0L);
}
static long do_unlink(const char *name) { return CALL(UNLINKAT, (long)AT_FDCWD, (long)text("%s.r", name), 0L); }
static long do_rmdir(const char *name) { return CALL(UNLINKAT, (long)AT_FDCWD, (long)text("%s.d", name), (long)AT_REMOVEDIR); }

/* bench prints the median and the 99th of a hundred of each call, in the
 * working directory. */
int bench(long count)
{
	static const struct {
		const char *name;
		long (*run)(const char *);
	} calls[] = {
		{"create+close", do_create}, {"open+close", do_open}, {"read-only+close", do_read}, {"mkdir", do_mkdir},
		{"rename", do_rename}, {"unlink", do_unlink}, {"rmdir", do_rmdir},
	};
	if (count < 1)
		return 2;
	double *took = calloc((size_t)count, sizeof *took);
	for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
		for (long i = 0; i < count; i++) {
			const char *name = text("bench-%ld", i);
			double start = now();
			long r = calls[c].run(name);
			took[i] = now() - start;
			if (r < 0) {
				errno = (int)-r;
				die(name);
			}
		}
		qsort(took, (size_t)count, sizeof *took, by_size);
		printf("%-16s p50 %7.2f us  p99 %7.2f us\n", calls[c].name, took[count / 2], took[count * 99 / 100]);
	}
	free(took);
	return 0;
}
