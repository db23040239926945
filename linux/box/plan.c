//go:build linux

#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* plan_next walks the plan's operations; prev NULL gives the first. */
const struct op *plan_next(const struct plan *plan, const struct op *prev)
{
	size_t at = 0;
	if (prev)
		at = (const char *)prev - plan->base + sizeof *prev + ((prev->len + 1 + 7) & ~(size_t)7);
	if (at + sizeof(struct op) > plan->size)
		return NULL;
	const struct op *op = (const struct op *)(plan->base + at);
	if (at + sizeof *op + op->len + 1 > plan->size)
		return NULL;
	return op;
}

int is_inode(int fd, const struct op *op)
{
	struct stat st;
	if (op->a == 0)
		return 1;
	if (fstat(fd, &st) < 0)
		return 0;
	errno = ESTALE;
	return st.st_ino == op->a && (major(st.st_dev) << 20 | minor(st.st_dev)) == op->b;
}

/* plan_complete tells whether the walk reaches OP_END: a plan that was cut
 * short could lack the very operation that restricts. */
int plan_complete(const struct plan *plan)
{
	const struct op *op = plan_next(plan, NULL);
	while (op && op->kind != OP_END)
		op = plan_next(plan, op);
	return op != NULL;
}

int plan_map(int fd, struct plan *plan)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -1;
	plan->size = st.st_size;
	plan->base = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return plan->base == MAP_FAILED || !plan_complete(plan) ? -1 : 0;
}
