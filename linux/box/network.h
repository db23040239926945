/* The sandbox's network: its places, and srun's listeners there. */
#pragma once

#include "message.h"

/* Fixed places inside the sandbox's own network namespace. They lie above the
 * default ephemeral range (32768 to 60999), so no client socket takes them. */
#define PROXY_PORT 61080
#define TRANSPARENT_PORT 61081
#define DNS_PORT 53

/* The sandbox's own addresses, in the ranges of the proxy's synthetic answers
 * and below the first that it gives out: 198.18.0.1 and fd5f:7372:756e::1. */
#define OWN_ADDRESS4 { 198, 18, 0, 1 }
#define OWN_ADDRESS6 { 0xfd, 0x5f, 0x73, 0x72, 0x75, 0x6e, [15] = 1 }

struct listeners {
	int fd[MAX_FDS];
	int n;
	uint32_t set;
};
enum { /* in the order the descriptors are sent */
	LISTEN_PROXY = 1,
	LISTEN_TRANSPARENT4 = 2,
	LISTEN_TRANSPARENT6 = 4,
	LISTEN_DNS4 = 8,
	LISTEN_DNS6 = 16,
	LISTEN_DNSTCP4 = 32,
	LISTEN_DNSTCP6 = 64,
};

int network_up(struct listeners *out);
int listen_local(int port);

/* give_socket sends out a TCP socket of init's network namespace, for srun to
 * connect to a published port. */
void give_socket(int sock, int family);
