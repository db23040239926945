//go:build linux

/* The sandbox's network: a namespace with nothing but loopback, in which every
 * address of the world is local (AnyIP) and every TCP connection that is not
 * to loopback is redirected to one listener. srun accepts on it outside. */
#define _GNU_SOURCE
#include "network.h"
#include "network_messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PART(bytes) { (void *)(bytes), sizeof(bytes) }

/* exchange sends messages at once, and reads answers until `acks` of them came. */
static int exchange(int proto, struct iovec *parts, size_t n, int acks)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, proto);
	if (fd < 0)
		return -1;
	char answer[8192] __attribute__((aligned(8)));
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = n };
	int err = sendmsg(fd, &m, 0) < 0 ? errno : 0;
	while (!err && acks > 0) {
		ssize_t got = recv(fd, answer, sizeof answer, 0);
		if (got < 0) {
			err = errno;
			break;
		}
		for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			acks--;
			if (!err)
				err = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
		}
	}
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int r = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return r;
}

/* own_addresses gives lo addresses that are not loopback addresses: getaddrinfo(3)
 * with AI_ADDRCONFIG finds no IPv4 name on a host that has none. */
static int own_addresses(int ipv6)
{
	struct iovec parts[] = { PART(add_address4), PART(add_address6) };
	return exchange(NETLINK_ROUTE, parts, 1 + ipv6, 1 + ipv6);
}

/* any_local routes every address to this host itself. */
static int any_local(int ipv6)
{
	struct iovec parts[] = { PART(any_local4), PART(any_local6) };
	return exchange(NETLINK_ROUTE, parts, 1 + ipv6, 1 + ipv6);
}

/* redirect has TCP to other addresses arrive at TRANSPARENT_PORT. Of the first
 * part, the table, the chain and the rule are answered. */
static int redirect(int ipv6)
{
	struct iovec parts[] = { PART(redirect4), PART(redirect6), PART(redirect_end) };
	if (!ipv6)
		parts[1] = parts[2];
	return exchange(NETLINK_NETFILTER, parts, 2 + ipv6, 3 + ipv6);
}

static int bind_socket(int family, int type, const void *addr, socklen_t len)
{
	int on = 1, fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, addr, len) < 0 || (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int add_listener(struct listeners *l, uint32_t which, int type, int port, int any)
{
	int v6 = which & (LISTEN_TRANSPARENT6 | LISTEN_DNS6 | LISTEN_DNSTCP6);
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	if (!any)
		a6.sin6_addr = in6addr_loopback;
	int fd = v6 ? bind_socket(AF_INET6, type, &a6, sizeof a6) : bind_socket(AF_INET, type, &a4, sizeof a4);
	if (fd < 0)
		return -1;
	l->fd[l->n++] = fd;
	l->set |= which;
	return 0;
}

static int listen_all(struct listeners *l, int ipv6)
{
	if (add_listener(l, LISTEN_PROXY, SOCK_STREAM, PROXY_PORT, 0) < 0 ||
	    add_listener(l, LISTEN_TRANSPARENT4, SOCK_STREAM, TRANSPARENT_PORT, 0) < 0 ||
	    (ipv6 && add_listener(l, LISTEN_TRANSPARENT6, SOCK_STREAM, TRANSPARENT_PORT, 0) < 0) ||
	    add_listener(l, LISTEN_DNS4, SOCK_DGRAM, DNS_PORT, 1) < 0 ||
	    (ipv6 && add_listener(l, LISTEN_DNS6, SOCK_DGRAM, DNS_PORT, 1) < 0) ||
	    add_listener(l, LISTEN_DNSTCP4, SOCK_STREAM, DNS_PORT, 1) < 0 ||
	    (ipv6 && add_listener(l, LISTEN_DNSTCP6, SOCK_STREAM, DNS_PORT, 1) < 0))
		return -1;
	return 0;
}

int listen_local(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return bind_socket(AF_INET, SOCK_STREAM, &a, sizeof a);
}

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

/* A kernel without IPv6 has nothing to redirect. */
static int has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int r = bind(fd, (void *)&a, sizeof a);
	close(fd);
	return r == 0;
}

int network_up(struct listeners *out)
{
	if (loopback_up() < 0)
		return fail("raise the loopback interface");
	int ipv6 = has_ipv6();
	if (own_addresses(ipv6) < 0)
		return fail("give the loopback interface addresses");
	if (any_local(ipv6) < 0)
		return fail("route every address to loopback");
	if (redirect(ipv6) < 0)
		return fail("redirect TCP (nftables)");
	if (listen_all(out, ipv6) < 0)
		return fail("listen inside");
	return 0;
}
