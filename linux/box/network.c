//go:build linux

/* The sandbox's network: a namespace with nothing but loopback, in which every
 * address of the world is local (AnyIP) and every TCP connection that is not
 * to loopback is redirected to one listener. srun accepts on it outside. */
#define _GNU_SOURCE
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct request { char buf[4096]; size_t len; };

static struct nlmsghdr *begin(struct request *r, int type, int flags, const void *body, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(r->buf + r->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = 1;
	memcpy(NLMSG_DATA(h), body, len);
	h->nlmsg_len = NLMSG_SPACE(len);
	r->len += h->nlmsg_len;
	return h;
}

static void end(struct request *r, struct nlmsghdr *h)
{
	h->nlmsg_len = r->buf + r->len - (char *)h;
}

static struct nlattr *put(struct request *r, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(r->buf + r->len);
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	r->len += NLA_HDRLEN + NLA_ALIGN(len);
	return a;
}

static void put_str(struct request *r, int type, const char *s) { put(r, type, s, strlen(s) + 1); }
static void put_be32(struct request *r, int type, uint32_t v) { v = htonl(v); put(r, type, &v, sizeof v); }
static struct nlattr *nest(struct request *r, int type) { return put(r, type | NLA_F_NESTED, NULL, 0); }
static void unnest(struct request *r, struct nlattr *a) { a->nla_len = r->buf + r->len - (char *)a; }

/* exchange sends the request and reads answers until `acks` of them came. */
static int exchange(int proto, struct request *r, int acks)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, proto);
	if (fd < 0)
		return -1;
	char answer[8192] __attribute__((aligned(8)));
	int err = send(fd, r->buf, r->len, 0) < 0 ? errno : 0;
	while (!err && acks > 0) {
		ssize_t n = recv(fd, answer, sizeof answer, 0);
		if (n < 0) {
			err = errno;
			break;
		}
		for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
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

/* any_local routes every address of a family to this host itself
 * (ip-route(8), "local 0.0.0.0/0 dev lo"). */
static int any_local(int family)
{
	struct request r = { .len = 0 };
	struct rtmsg rt = { .rtm_family = family, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL };
	uint32_t lo = 1;
	struct nlmsghdr *h = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_ACK, &rt, sizeof rt);
	put(&r, RTA_OIF, &lo, sizeof lo);
	end(&r, h);
	return exchange(NETLINK_ROUTE, &r, 1);
}

/* add_address gives lo an address that is not a loopback address: getaddrinfo(3)
 * with AI_ADDRCONFIG finds no IPv4 name on a host that has none. */
static int add_address(int family, const void *addr, size_t len)
{
	struct request r = { .len = 0 };
	struct ifaddrmsg ifa = { .ifa_family = family, .ifa_prefixlen = 8 * len, .ifa_flags = IFA_F_NODAD, .ifa_index = 1 };
	struct nlmsghdr *h = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, &ifa, sizeof ifa);
	put(&r, IFA_LOCAL, addr, len);
	put(&r, IFA_ADDRESS, addr, len);
	end(&r, h);
	return exchange(NETLINK_ROUTE, &r, 1);
}

static int own_addresses(int ipv6)
{
	uint8_t v4[4] = OWN_ADDRESS4, v6[16] = OWN_ADDRESS6;
	if (add_address(AF_INET, v4, sizeof v4) < 0)
		return -1;
	return ipv6 ? add_address(AF_INET6, v6, sizeof v6) : 0;
}

static struct nlmsghdr *nft(struct request *r, int type, int flags, int family)
{
	struct nfgenmsg g = { .nfgen_family = family, .version = NFNETLINK_V0 };
	return begin(r, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_CREATE | flags, &g, sizeof g);
}

static void batch(struct request *r, int type)
{
	struct nfgenmsg g = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	begin(r, type, 0, &g, sizeof g);
}

struct expr { struct nlattr *elem, *data; };

static struct expr expr(struct request *r, const char *name)
{
	struct expr e = { .elem = nest(r, NFTA_LIST_ELEM) };
	put_str(r, NFTA_EXPR_NAME, name);
	e.data = nest(r, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct request *r, struct expr e)
{
	unnest(r, e.data);
	unnest(r, e.elem);
}

static void load_meta(struct request *r, uint32_t key)
{
	struct expr e = expr(r, "meta");
	put_be32(r, NFTA_META_DREG, NFT_REG_1);
	put_be32(r, NFTA_META_KEY, key);
	expr_end(r, e);
}

static void load_payload(struct request *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expr e = expr(r, "payload");
	put_be32(r, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_be32(r, NFTA_PAYLOAD_BASE, base);
	put_be32(r, NFTA_PAYLOAD_OFFSET, offset);
	put_be32(r, NFTA_PAYLOAD_LEN, len);
	expr_end(r, e);
}

static void put_value(struct request *r, int type, const void *v, size_t len)
{
	struct nlattr *d = nest(r, type);
	put(r, NFTA_DATA_VALUE, v, len);
	unnest(r, d);
}

static void compare(struct request *r, uint32_t op, const void *v, size_t len)
{
	struct expr e = expr(r, "cmp");
	put_be32(r, NFTA_CMP_SREG, NFT_REG_1);
	put_be32(r, NFTA_CMP_OP, op);
	put_value(r, NFTA_CMP_DATA, v, len);
	expr_end(r, e);
}

static void redirect_to(struct request *r, uint16_t port)
{
	uint16_t be = htons(port);
	struct expr e = expr(r, "immediate");
	put_be32(r, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(r, NFTA_IMMEDIATE_DATA, &be, sizeof be);
	expr_end(r, e);
	e = expr(r, "redir");
	put_be32(r, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	expr_end(r, e);
}

/* add_rule: TCP of one family, not to loopback and not to port 53 (which has
 * listeners of its own), goes to TRANSPARENT_PORT. */
static void add_rule(struct request *r, int family)
{
	static const uint8_t v6_loopback[16] = { [15] = 1 };
	uint8_t nfproto = family, tcp = IPPROTO_TCP, v4_loopback = 127;
	uint16_t dns = htons(DNS_PORT);
	struct nlmsghdr *h = nft(r, NFT_MSG_NEWRULE, NLM_F_APPEND | NLM_F_ACK, NFPROTO_INET);
	put_str(r, NFTA_RULE_TABLE, "srun");
	put_str(r, NFTA_RULE_CHAIN, "out");
	struct nlattr *list = nest(r, NFTA_RULE_EXPRESSIONS);
	load_meta(r, NFT_META_NFPROTO);
	compare(r, NFT_CMP_EQ, &nfproto, 1);
	load_meta(r, NFT_META_L4PROTO);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	if (family == NFPROTO_IPV4) {
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 16, 1);
		compare(r, NFT_CMP_NEQ, &v4_loopback, 1);
	} else {
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 24, 16);
		compare(r, NFT_CMP_NEQ, v6_loopback, 16);
	}
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	compare(r, NFT_CMP_NEQ, &dns, 2);
	redirect_to(r, TRANSPARENT_PORT);
	unnest(r, list);
	end(r, h);
}

static int redirect(int ipv6)
{
	struct request r = { .len = 0 };
	batch(&r, NFNL_MSG_BATCH_BEGIN);
	struct nlmsghdr *h = nft(&r, NFT_MSG_NEWTABLE, NLM_F_ACK, NFPROTO_INET);
	put_str(&r, NFTA_TABLE_NAME, "srun");
	end(&r, h);
	h = nft(&r, NFT_MSG_NEWCHAIN, NLM_F_ACK, NFPROTO_INET);
	put_str(&r, NFTA_CHAIN_TABLE, "srun");
	put_str(&r, NFTA_CHAIN_NAME, "out");
	struct nlattr *hook = nest(&r, NFTA_CHAIN_HOOK);
	put_be32(&r, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	put_be32(&r, NFTA_HOOK_PRIORITY, (uint32_t)NF_IP_PRI_NAT_DST);
	unnest(&r, hook);
	put_str(&r, NFTA_CHAIN_TYPE, "nat");
	end(&r, h);
	add_rule(&r, NFPROTO_IPV4);
	if (ipv6)
		add_rule(&r, NFPROTO_IPV6);
	batch(&r, NFNL_MSG_BATCH_END);
	return exchange(NETLINK_NETFILTER, &r, ipv6 ? 4 : 3);
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
	if (any_local(AF_INET) < 0 || (ipv6 && any_local(AF_INET6) < 0))
		return fail("route every address to loopback");
	if (redirect(ipv6) < 0)
		return fail("redirect TCP (nftables)");
	if (listen_all(out, ipv6) < 0)
		return fail("listen inside");
	return 0;
}
