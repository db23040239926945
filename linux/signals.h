#ifndef SRUN_SIGNALS_H
#define SRUN_SIGNALS_H

/* srun_catch has the process's signals of this number written to the pipe that
 * srun_signal_pipe made, a byte each; srun_release puts back what was there.
 * Both return 0, or an errno. */
int srun_signal_pipe(void);
int srun_catch(int sig);
int srun_release(int sig);

#endif
