//go:build linux

package box

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

/*
#include "enter.h"
*/
import "C"

// sandboxInit is a running init, ready or still making itself so, and srun's
// end of the socket to it. It is a plain process id and not an os.Process,
// whose first use starts a process to see whether pidfds work; the id cannot
// be taken by another before srun itself has waited for it.
type sandboxInit struct {
	pid         int     // 0: known once it is ready
	helper      int     // that cloned it and becomes the keeper, to be waited for, or 0
	keeper      *waiter // the socket to it; nil: there is none yet
	sock        *waiter
	hostNetwork bool
	pidNS       string // what /proc says of its PID namespace
	userNS      int    // descriptors, for the keeper
	mountNS     int
}

var early sync.Once

// takeEarly returns the init that the constructor started (enter.c), nil when
// there is none or it is taken.
func takeEarly() (in *sandboxInit, err error) {
	early.Do(func() {
		if e := C.srun_early; e != nil {
			in = &sandboxInit{helper: int(e.helper)}
			if in.sock, err = newWaiter(int(e.sock), "init"); err == nil {
				in.keeper, err = newWaiter(int(e.keeper), "keeper")
			}
		}
	})
	return in, err
}

// settle learns an early init's process id, once it has said anything.
func (in *sandboxInit) settle() {
	if in.pid == 0 {
		in.pid = int(C.srun_early.pid)
	}
}

// dismissKeeper ends a keeper that has no list yet: without its socket, it goes.
func (in *sandboxInit) dismissKeeper() {
	if in.keeper == nil {
		return
	}
	in.keeper.close()
	waitFor(in.helper)
	in.keeper, in.helper = nil, 0
}

func waitFor(pid int) (status syscall.WaitStatus, err error) {
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, os.NewSyscallError("wait4", err)
		}
	}
}

func (in *sandboxInit) wait() (syscall.WaitStatus, error) { return waitFor(in.pid) }

func (in *sandboxInit) kill() error {
	return os.NewSyscallError("kill", syscall.Kill(in.pid, syscall.SIGKILL))
}

func namespaceError(err error) error {
	return &plan.Error{Protection: "namespaces", What: "make the namespaces", Err: err}
}

const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// initCapabilities are what init uses in its namespaces. Without them in the
// ambient set, an ordinary user's execve(2) would lose them (capabilities(7)). The
// last is for the directory of mode 0 that a layer before left in its work directory.
var initCapabilities = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_SETPCAP, unix.CAP_DAC_OVERRIDE}

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
	files := make([]uintptr, 0, 4)
	for _, f := range append(append([]*os.File{}, stdio...), theirs) {
		files = append(files, f.Fd())
	}
	pid, _, err := syscall.StartProcess("/proc/self/exe", args, &syscall.ProcAttr{
		Env:   []string{fmt.Sprintf("%s=%d", C.SRUN_INIT_ENV, len(stdio))},
		Files: files,
		Sys: &syscall.SysProcAttr{
			Cloneflags:  flags,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}},
			AmbientCaps: initCapabilities,
		},
	})
	if err != nil {
		unix.Close(pair[0])
		return nil, namespaceError(err)
	}
	in := &sandboxInit{pid: pid, hostNetwork: hostNetwork}
	in.sock, err = newWaiter(pair[0], "init")
	return in, err
}

// newInit returns an init that has yet to say that it is ready.
func newInit(stdio []*os.File, hostNetwork bool) (*sandboxInit, error) {
	in, err := takeEarly()
	if err != nil {
		return nil, err
	}
	if in != nil {
		if !hostNetwork {
			return in, nil
		}
		in.discard() // it has a network namespace, and that cannot be taken back
	}
	return startInit(stdio, hostNetwork)
}

// ready waits until init's namespaces stand.
func (in *sandboxInit) ready() (set int32, fds []int, err error) {
	m, fds, err := in.sock.receive()
	in.settle()
	switch {
	case err != nil:
		return 0, nil, err
	case m.kind == msgFailed:
		return 0, nil, failure(m)
	case m.kind != msgReady:
		return 0, nil, namespaceError(fmt.Errorf("init ended before it was ready"))
	}
	// Later init is not dumpable, and an ordinary user may not read this.
	in.pidNS, _ = os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", in.pid))
	if err := in.openNamespaces(); err != nil {
		closeFDs(fds...)
		return 0, nil, err
	}
	if in.hostNetwork {
		return m.a, fds, nil
	}
	return m.a, fds, in.checkNetwork()
}

func (in *sandboxInit) openNamespaces() (err error) {
	for name, fd := range map[string]*int{"user": &in.userNS, "mnt": &in.mountNS} {
		if *fd, err = unix.Open(fmt.Sprintf("/proc/%d/ns/%s", in.pid, name), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return namespaceError(err)
		}
	}
	return nil
}

func (in *sandboxInit) closeNamespaces() {
	for _, fd := range []*int{&in.userNS, &in.mountNS} {
		if *fd > 0 {
			unix.Close(*fd)
		}
		*fd = 0
	}
}

// checkNetwork makes sure of the namespace that keeps the command off the
// network: srun does not go by init's word alone.
func (in *sandboxInit) checkNetwork() error {
	ours, err := netns.Get()
	if err != nil {
		return namespaceError(err)
	}
	defer ours.Close()
	theirs, err := netns.GetFromPid(in.pid)
	if err != nil {
		return namespaceError(err)
	}
	defer theirs.Close()
	if ours.Equal(theirs) {
		return namespaceError(fmt.Errorf("the sandbox shares the host's network namespace"))
	}
	return nil
}

// discard ends an init that is not wanted: with its socket it loses the reason
// to live.
func (in *sandboxInit) discard() {
	in.sock.close()
	in.closeNamespaces()
	in.dismissKeeper() // also waits until an early init has its process id
	in.settle()
	if in.pid > 0 {
		in.kill()
		in.wait()
	}
}
