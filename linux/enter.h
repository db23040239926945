#ifndef SRUN_ENTER_H
#define SRUN_ENTER_H

#define SRUN_INIT_ENV "_SRUN_INIT_SOCKET"
#define SRUN_INIT_NAME "srun-init"
#define SRUN_HOST_NETWORK "host-network"

/* What start_early left for Go: init's process id and srun's end of the
 * socket, or the errno that kept it from starting (pid 0: not tried). */
struct early {
	int pid;
	int sock;
	int err;
};
extern struct early srun_early;

#endif
