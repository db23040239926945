#pragma once

/* srun_catch has the process's signals of this number written to the pipe that
 * srun_signal_pipe made, a byte each. It returns 0, or an errno. */
int srun_signal_pipe(void);
int srun_catch(int sig);
