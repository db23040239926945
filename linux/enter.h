#ifndef SRUN_ENTER_H
#define SRUN_ENTER_H

#include <stdint.h>

#define SRUN_INIT_ENV "_SRUN_INIT_SOCKET"
#define SRUN_INIT_NAME "srun-init"
#define SRUN_HOST_NETWORK "host-network"

/* What start_early left for Go, in memory that srun shares with the helper and
 * with nothing later: init's process id, there once init has said anything,
 * the helper's, and srun's end of the socket to init. NULL: not tried. */
struct early {
	int32_t pid;
	int32_t helper;
	int32_t sock;
};
extern struct early *srun_early;

#endif
