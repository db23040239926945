//go:build !linux

package launcher

import (
	"os"
	"os/signal"
	"syscall"
)

// Catch relays signals to a channel as signal.Notify does, for as long as the
// process lives.
func Catch(c chan<- os.Signal, sigs ...syscall.Signal) error {
	for _, sig := range sigs {
		signal.Notify(c, sig)
	}
	return nil
}
