package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"srun/launcher"
)

type askFunc = func(context.Context, launcher.Question) launcher.Answer

// forwarded are the signals that someone may send to srun and mean for the
// command. ^Z and fg act on both by themselves.
var forwarded = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH,
}

type signals chan os.Signal

// catchSignals begins before the command starts, so that none is lost. A
// signal that srun was started with as ignored (nohup) stays so, for the
// command as well.
func catchSignals() (signals, error) {
	c := make(signals, 16)
	var wanted []syscall.Signal
	for _, sig := range forwarded {
		if !signal.Ignored(sig) {
			wanted = append(wanted, sig)
		}
	}
	return c, launcher.Catch(c, wanted...)
}

// forward passes signals on; srun itself ends when the command does. Before
// SIGHUP goes on, reopen is called, unless it is nil.
// Of SIGINT a question hears as well.
func (c signals) forward(cmd *launcher.Cmd, reopen func(), interrupted chan<- struct{}) {
	for sig := range c {
		if sig == syscall.SIGINT {
			select {
			case interrupted <- struct{}{}:
			default:
			}
		}
		if sig == syscall.SIGHUP && reopen != nil {
			reopen()
		}
		cmd.Signal(sig.(syscall.Signal))
	}
}

// stopWithCommand stops srun when the command stopped itself, so that the shell
// sees the job stopped. It returns after fg. The rest of the process group is
// the caller's: no command inside may stop that.
func stopWithCommand(sig syscall.Signal) {
	syscall.Kill(os.Getpid(), sig)
}
