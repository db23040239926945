//go:build linux

package box

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"srun/linux/plan"
)

/*
#include "enter.h"
*/
import "C"

// keeper is srun's half of the process that masks a hidden file again when the
// host replaces it (keeper.c).
type keeper struct {
	pid   int
	sock  *waiter
	paths []plan.Masked // by the list's numbers
	lost  func()        // something is bare
	done  chan struct{}
	err   error // once done
}

// newKeeper gives the keeper what the plan masks; nil when that is nothing.
func newKeeper(p *plan.Plan, in *sandboxInit) (k *keeper, err error) {
	defer in.closeNamespaces()
	if len(p.Masked) == 0 {
		in.dismissKeeper()
		return nil, nil
	}
	if in.keeper == nil {
		if in.helper, in.keeper, err = startKeeper(); err != nil {
			return nil, err
		}
	}
	body, err := memoryFile(keeperList(p.Masked))
	if err != nil {
		return nil, err
	}
	defer unix.Close(body)
	rights := unix.UnixRights(body, in.userNS, in.mountNS)
	if err := unix.Sendmsg(in.keeper.fd, message{kind: ctlKeep, a: int32(in.pid)}.encode(), rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return nil, keeperError("tell the keeper", err)
	}
	k = &keeper{pid: in.helper, sock: in.keeper, paths: p.Masked, lost: func() { in.kill() }}
	in.keeper, in.helper = nil, 0
	return k, nil
}

// keeperList is what is masked: each path with the number of its directory, which
// comes before it.
func keeperList(masked []plan.Masked) (list []byte) {
	dirs := map[string]uint32{}
	for _, m := range masked {
		dir := filepath.Dir(m.Path)
		number, known := dirs[dir]
		if !known {
			number = uint32(len(dirs))
			dirs[dir] = number
			list = appendOp(list, codeWatch, 0, 0, 0, dir)
		}
		layered := uint32(0)
		if m.Layered {
			layered = 1
		}
		list = appendOp(list, codeKeep, number, 0, layered, m.Path)
	}
	return appendOp(list, codeEnd, 0, 0, 0, "")
}

// startKeeper starts this program again as the keeper.
func startKeeper() (pid int, sock *waiter, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, os.NewSyscallError("socketpair", err)
	}
	defer unix.Close(pair[1])
	pid, _, err = syscall.StartProcess("/proc/self/exe", []string{C.SRUN_KEEPER_NAME}, &syscall.ProcAttr{
		Env:   []string{C.SRUN_INIT_ENV + "=3"},
		Files: []uintptr{^uintptr(0), ^uintptr(0), ^uintptr(0), uintptr(pair[1])},
	})
	if err != nil {
		unix.Close(pair[0])
		return 0, nil, keeperError("start the keeper", err)
	}
	sock, err = newWaiter(pair[0], "keeper")
	return pid, sock, err
}

func keeperError(what string, err error) error {
	return &plan.Error{Protection: "write-deny", What: what, Err: err}
}

// watches waits until the keeper watches.
func (k *keeper) watches() error {
	if k == nil {
		return nil
	}
	m, _, err := k.sock.receive()
	if err == nil && m.kind != msgKeeping {
		err = errors.New("it ended")
	}
	if err != nil {
		return keeperError("start the keeper", err)
	}
	k.done = make(chan struct{})
	go k.run()
	return nil
}

// look tells the keeper that the mounts are made: what was replaced meanwhile is
// bare.
func (k *keeper) look() {
	if k != nil {
		unix.Send(k.sock.fd, message{kind: ctlLook}.encode(), unix.MSG_NOSIGNAL) // run sees a keeper's end
	}
}

// run takes the keeper's reports until its end.
func (k *keeper) run() {
	defer close(k.done)
	m, _, err := k.sock.receive()
	switch {
	case err == nil && m.kind == msgKept:
		return
	case err == nil && m.kind == msgBare && int(m.a) < len(k.paths):
		k.err = keeperError("cover "+k.paths[m.a].Path+", which was replaced while the command ran", unix.Errno(m.b))
	default:
		k.err = keeperError("cover what is replaced", errors.Join(errors.New("the keeper ended"), err))
	}
	k.lost()
}

// wait ends with the keeper, which ends with init.
func (k *keeper) wait() error {
	if k == nil {
		return nil
	}
	<-k.done
	k.end()
	return k.err
}

// end ends the keeper: without its socket, it goes.
func (k *keeper) end() {
	if k == nil {
		return
	}
	k.sock.close()
	waitFor(k.pid)
}
