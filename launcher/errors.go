package launcher

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrTimeout is Wait's error, wrapped, when the policy's time limit ended the
// command.
var ErrTimeout = errors.New("time limit reached")

// ErrNotFound and ErrNotExecutable are in the error of a Start that failed
// because of the command itself.
var (
	ErrNotFound      = errors.New("command not found")
	ErrNotExecutable = errors.New("command cannot be executed")
)

// ExitError is Wait's error when the command ended with another status than 0.
type ExitError struct{ Status syscall.WaitStatus }

func (e *ExitError) Error() string {
	if e.Status.Signaled() {
		return fmt.Sprintf("killed by signal %d (%v)", e.Status.Signal(), e.Status.Signal())
	}
	return fmt.Sprintf("exit status %d", e.Status.ExitStatus())
}

// Code is the status as a shell would give it: the command's own, or 128+N
// when signal N killed it.
func (e *ExitError) Code() int {
	if e.Status.Signaled() {
		return 128 + int(e.Status.Signal())
	}
	return e.Status.ExitStatus()
}

// startError keeps a backend's words and adds this package's sentinel.
type startError struct{ err, kind error }

func (e *startError) Error() string   { return e.err.Error() }
func (e *startError) Unwrap() []error { return []error{e.err, e.kind} }
