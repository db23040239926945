//go:build linux

/* What init and the command's process say to srun, and hear of it. */
#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char failed_what[116];

int fail(const char *what)
{
	snprintf(failed_what, sizeof failed_what, "%s", what);
	return -1;
}

void tell(int sock, uint32_t type, int32_t a, int32_t b, const char *text)
{
	struct message m = { .type = type, .a = a, .b = b };
	if (text)
		snprintf(m.text, sizeof m.text, "%s", text);
	if (send(sock, &m, sizeof m, MSG_NOSIGNAL) < 0)
		_exit(1);
}

int send_fds(int sock, const struct message *m, const int *fds, int n)
{
	struct iovec iov = { (void *)m, sizeof *m };
	union { char buf[CMSG_SPACE(MAX_FDS * sizeof(int))]; struct cmsghdr align; } u = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (n > 0) {
		h.msg_control = u.buf;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return sendmsg(sock, &h, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int receive_fds(int sock, struct message *m, int *fds, int n)
{
	struct iovec iov = { m, sizeof *m };
	union { char buf[CMSG_SPACE(MAX_FDS * sizeof(int))]; struct cmsghdr align; } u = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	ssize_t got;
	do
		got = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	if (got != sizeof *m)
		return -1;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0)); /* no more than there was room for */
	return 0;
}
