//go:build linux

/* Sockets for published ports, and for ports forwarded during the run. */
#define _GNU_SOURCE
#include "network.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void give_socket(int sock, int family)
{
	struct message m = { .type = MSG_SOCKET };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		m.a = errno;
	if (send_fds(sock, &m, &fd, fd >= 0) < 0 && fd >= 0) {
		m.a = errno; /* no descriptor went out: the word must */
		send_fds(sock, &m, &fd, 0);
	}
	if (fd >= 0)
		close(fd);
}
