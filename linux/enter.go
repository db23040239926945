//go:build linux

package linux

/*
#include "init.h"
#include "enter.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// sandboxInit is a running init, ready or still making itself so, and srun's
// end of the socket to it.
type sandboxInit struct {
	process     *os.Process
	sock        int
	hostNetwork bool
}

var early sync.Once

// takeEarly returns the init that the constructor started (enter.c), nil when
// there is none or it is taken.
func takeEarly() (in *sandboxInit, err error) {
	early.Do(func() {
		e := C.srun_early
		switch {
		case e.err != 0:
			err = namespaceError(unix.Errno(e.err))
		case e.pid > 0:
			in = &sandboxInit{sock: int(e.sock)}
			in.process, err = os.FindProcess(int(e.pid))
		}
	})
	return in, err
}

func namespaceError(err error) error {
	return &Error{Protection: "namespaces", What: "make the namespaces", Err: err}
}

const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// startInit starts this program again as init, in new namespaces with the user
// mapped to itself.
func startInit(stdio []*os.File, hostNetwork bool) (*sandboxInit, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "init")
	defer theirs.Close()
	uid, gid := os.Geteuid(), os.Getegid()
	args, flags := []string{C.SRUN_INIT_NAME}, uintptr(namespaces)
	if hostNetwork {
		args, flags = append(args, C.SRUN_HOST_NETWORK), flags&^unix.CLONE_NEWNET
	}
	process, err := os.StartProcess("/proc/self/exe", args, &os.ProcAttr{
		Env:   []string{fmt.Sprintf("%s=%d", C.SRUN_INIT_ENV, 3)},
		Files: append(append([]*os.File{}, stdio...), theirs),
		Sys: &syscall.SysProcAttr{
			Cloneflags:  flags,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}},
		},
	})
	if err != nil {
		unix.Close(pair[0])
		return nil, namespaceError(err)
	}
	return &sandboxInit{process: process, sock: pair[0], hostNetwork: hostNetwork}, nil
}

// newInit returns an init that has yet to say that it is ready.
func newInit(stdio []*os.File, hostNetwork bool) (*sandboxInit, error) {
	in, err := takeEarly()
	switch {
	case err != nil:
		return nil, err
	case in != nil && !hostNetwork:
		return in, nil
	case in != nil: // it has a network namespace, and that cannot be taken back
		in.discard()
	}
	return startInit(stdio, hostNetwork)
}

// ready waits until init's namespaces stand.
func (in *sandboxInit) ready() (set int32, fds []int, err error) {
	m, fds, err := receive(in.sock)
	switch {
	case err != nil:
		return 0, nil, err
	case m.kind == msgFailed:
		return 0, nil, failure(m)
	case m.kind != msgReady:
		return 0, nil, namespaceError(fmt.Errorf("init ended before it was ready"))
	}
	if in.hostNetwork {
		return m.a, fds, nil
	}
	return m.a, fds, in.checkNetwork()
}

// checkNetwork makes sure of the namespace that keeps the command off the
// network: srun does not go by init's word alone.
func (in *sandboxInit) checkNetwork() error {
	ours, err := netns.Get()
	if err != nil {
		return namespaceError(err)
	}
	defer ours.Close()
	theirs, err := netns.GetFromPid(in.process.Pid)
	if err != nil {
		return namespaceError(err)
	}
	defer theirs.Close()
	if ours.Equal(theirs) {
		return namespaceError(fmt.Errorf("the sandbox shares the host's network namespace"))
	}
	return nil
}

// discard ends an init that is not wanted.
func (in *sandboxInit) discard() {
	unix.Close(in.sock)
	in.process.Kill()
	in.process.Wait()
}

// DiscardEarly ends an init that was started early for a run that does not
// take place, such as --help.
func DiscardEarly() {
	if in, err := takeEarly(); err == nil && in != nil {
		in.discard()
	}
}
