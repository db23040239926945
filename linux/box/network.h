/* The sandbox's network: its places, and srun's listeners there. */
#pragma once

#include "message.h"

/* Fixed places inside the sandbox's own network namespace. They lie above the
 * default ephemeral range (32768 to 60999), so no client socket takes them. */
#define PROXY_PORT 61080
#define TRANSPARENT_PORT 61081
#define DNS_PORT 53

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
