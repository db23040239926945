#pragma once

#include <stdint.h>

#define SRUN_INIT_ENV "_SRUN_INIT_SOCKET"
#define SRUN_INIT_NAME "srun-init"
#define SRUN_KEEPER_NAME "srun-keeper"
#define SRUN_HOST_NETWORK "host-network"

/* What start_early left for Go, in memory that srun shares with the helper and
 * with nothing later: init's process id, there once init has said anything,
 * the helper's, and srun's ends of the sockets to init and to the keeper, which
 * the helper becomes. NULL: not tried. */
struct early {
	int32_t pid;
	int32_t helper;
	int32_t sock;
	int32_t keeper;
};
extern struct early *srun_early;

/* limits.c: ends the process, with a line, where limits leave too little. */
void check_limits(void);
