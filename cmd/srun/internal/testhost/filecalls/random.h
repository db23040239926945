/* What the parts of `filecalls random` share. */
#include "calls.h"

/* random.c */
uint64_t pick(uint64_t n);
bool one_in(uint64_t n);

/* randpath.c: a path as the call gets it and as the output shows it. */
struct path {
	char *ptr;
	char shown[256];
};
extern bool bare_fd;
void any_path(struct path *p);
void any_name(char *out, size_t room);
void bind_path(struct path *p);

/* randfd.c: descriptors that calls are relative to. */
long any_dirfd(void);
int any_held(void);
void hold_or_close(int fd);
void close_one(void);
void describe(int fd);
void write_some(int fd);

/* randcall.c, randopen.c */
long any_mode(void);
void random_open(void);
void random_call(void);
void result(long r);
