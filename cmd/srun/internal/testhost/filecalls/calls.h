/* filecalls makes file calls and prints what came of them, so that a run
 * inside the sandbox can be compared with one outside. See main.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The calls under test, made without libc and by either ABI: see sys.c. */
enum call_nr {
	OPEN, OPENAT, CREAT, MKDIR, MKDIRAT, MKNOD, MKNODAT, LINK, LINKAT, SYMLINK, SYMLINKAT, RENAME, RENAMEAT,
	RENAMEAT2, UNLINK, UNLINKAT, RMDIR, TRUNCATE, BIND
};
extern bool i386, by_socketcall;
extern int slowness; /* 1, or how much longer things take */
long call(enum call_nr nr, ...);
#define CALL(nr, ...) call(nr, __VA_ARGS__, 0L, 0L, 0L, 0L, 0L)
bool has(enum call_nr nr);
const char *call_name(enum call_nr nr);
bool abi_works(void);

/* Memory that i386 calls reach too. */
char *low_pages(int n);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* border puts s so that its last byte is the last before unmapped memory. */
char *border(const char *s, size_t len);

/* Shorthands of the cases: results are -errno. */
long open_at(const char *path, int flags, int mode);
const char *err_name(long r);
void say(const char *what, long r);
void show(const char *s);
void quote(const char *s, char *out, size_t room);
/* quote_path also writes the two directories, if set, as $ and ^. */
extern const char *inner_dir, *outer_dir;
void quote_path(const char *s, char *out, size_t room);
void put(const char *path, const char *content);
void content_of(const char *path);
void die(const char *what) __attribute__((noreturn));

/* tree.c */
void age_tree(const char *top);
void print_tree(const char *top);
void start_clock(void);

int random_calls(uint64_t seed, long count, const char *dir);
int bench(long count);

struct test_case {
	const char *name;
	void (*run)(void);
};
extern const struct test_case path_cases[], block_cases[], process_cases[], device_cases[];
