#pragma once

#include <stdint.h>

/* srun_trace_start runs srunTrace of trace.go with this handle on a thread of
 * its own. It returns 0, or an errno. */
int srun_trace_start(uintptr_t handle);
