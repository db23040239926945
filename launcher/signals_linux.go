package launcher

import (
	"os"
	"syscall"

	"srun/linux/box"
)

// Catch relays signals to a channel as signal.Notify does, for as long as the
// process lives. On Linux it saves the start of a run the millisecond that
// package os/signal takes.
func Catch(c chan<- os.Signal, sigs ...syscall.Signal) error { return box.Catch(c, sigs...) }
