package main

import (
	"errors"
	"syscall"

	"srun/launcher"
)

// Exit statuses of srun itself (env(1), timeout(1)).
const (
	statusTimeout       = 124
	statusFailed        = 125
	statusNotExecutable = 126
	statusNotFound      = 127
	signalStatus        = 128 // and the signal's number
)

// endSignal is the signal that killed the command, 0 for none. srun dies of it as
// well: a shell that gets ^C goes on with its script unless what it waits for died
// of it.
func endSignal(err error) syscall.Signal {
	if exit, ok := errors.AsType[*launcher.ExitError](err); ok && exit.Status.Signaled() {
		return exit.Status.Signal()
	}
	return 0
}

func startStatus(err error) int {
	switch {
	case errors.Is(err, launcher.ErrNotFound):
		return statusNotFound
	case errors.Is(err, launcher.ErrNotExecutable):
		return statusNotExecutable
	}
	return statusFailed
}

func endStatus(err error) (int, error) {
	if exit, ok := errors.AsType[*launcher.ExitError](err); ok {
		return exit.Code(), nil
	}
	switch {
	case err == nil:
		return 0, nil
	case errors.Is(err, launcher.ErrTimeout):
		return statusTimeout, err
	}
	return statusFailed, err
}
