//go:build linux

package linux

/*
#include "init.h"
#include "enter.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// guard keeps denied paths from existing that did not when the run began. No
// mount can stand for a file that is not there, so a process outside the
// sandbox watches the directories where one could appear, removes it at once,
// and looks once more when every process of the sandbox is gone, also when srun
// is (guard.c).
type guard struct {
	pid     int
	sock    *waiter
	missing []MissingPath
	removed func(MissingPath)
	planted func(path string, final bool) []string
	lost    func() // the guard ended before its time

	finished chan struct{}
	mu       sync.Mutex
	roots    map[string]*os.Root // by MissingPath.Root
	errs     []error
}

// newGuard has the guard take its list; nil when there is nothing on it. The
// command must not run before it returns.
func newGuard(c *Config, in *sandboxInit) (*guard, error) {
	if len(c.Plan.Missing) == 0 {
		in.dismissGuard()
		return nil, nil
	}
	if in.guard == nil {
		var err error
		if in.guardPID, in.guard, err = startGuard(); err != nil {
			return nil, err
		}
	}
	g := &guard{
		pid: in.guardPID, sock: in.guard, missing: c.Plan.Missing, removed: c.Removed, planted: c.Planted,
		lost: func() { in.kill() }, finished: make(chan struct{}), roots: map[string]*os.Root{},
	}
	if err := g.send(c, in.pid); err != nil {
		return nil, err
	}
	in.guard, in.guardPID = nil, 0
	go g.run()
	return g, nil
}

// startGuard starts this program again as the guard.
func startGuard() (pid int, sock *waiter, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, os.NewSyscallError("socketpair", err)
	}
	defer unix.Close(pair[1])
	pid, _, err = syscall.StartProcess("/proc/self/exe", []string{C.SRUN_GUARD_NAME}, &syscall.ProcAttr{
		Env:   []string{C.SRUN_INIT_ENV + "=3"},
		Files: []uintptr{^uintptr(0), ^uintptr(0), ^uintptr(0), uintptr(pair[1])},
	})
	if err != nil {
		unix.Close(pair[0])
		return 0, nil, guardError("start the guard", err)
	}
	sock, err = newWaiter(pair[0], "guard")
	return pid, sock, err
}

func guardError(what string, err error) error {
	return &Error{Protection: "write-deny", What: what, Err: err}
}

// send gives the guard its list and waits until it holds.
func (g *guard) send(c *Config, initPID int) error {
	list, err := memoryFile(g.list(c))
	if err != nil {
		return err
	}
	defer unix.Close(list)
	err = unix.Sendmsg(g.sock.fd, message{kind: C.CTL_GUARD, a: int32(initPID)}.encode(), unix.UnixRights(list), nil, unix.MSG_NOSIGNAL)
	if err != nil {
		return guardError("tell the guard", err)
	}
	m, _, err := g.sock.receive()
	switch {
	case err != nil:
		return guardError("hear from the guard", err)
	case m.kind == msgFailed:
		return failure(m)
	case m.kind != C.MSG_GUARDING:
		return guardError("start the guard", errors.New("it ended"))
	}
	return nil
}

// list lays the denied names and the directories on the way to them out as
// absent.c reads them, each directory before what is in it.
func (g *guard) list(c *Config) []byte {
	var b []byte
	known := map[string]uint32{}
	add := func(kind opKind, slot uint32, number int, flag uint32, key, name string) {
		known[key] = uint32(len(known))
		b = appendOp(b, kind, slot, uint64(number), flag, name)
	}
	for number, m := range g.missing {
		if _, ok := known[m.Root]; !ok {
			var id fileID
			if m.Root == c.Dir {
				id = c.Plan.dir
			}
			known[m.Root] = uint32(len(known))
			b = appendOp(b, opRoot, 0, id.ino, id.dev, m.Root)
		}
		at := m.Root
		names := strings.Split(strings.TrimPrefix(m.Path[len(m.Root):], "/"), "/")
		for _, name := range names[:len(names)-1] {
			below := filepath.Join(at, name)
			if _, ok := known[below]; !ok {
				add(opBelow, known[at], number, 0, below, name)
			}
			at = below
		}
		b = appendOp(b, opAbsent, known[at], uint64(number), flag(g.shared(number)), names[len(names)-1])
	}
	return appendOp(b, opEnd, 0, 0, 0, "")
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// shared tells whether others than the command may make the path, so that it is
// srun's to judge: a settings directory, where another run may write.
func (g *guard) shared(number int) bool {
	return g.planted != nil && filepath.Base(g.missing[number].Path) == ".srun"
}

// run takes the guard's reports until its end.
func (g *guard) run() {
	defer close(g.finished)
	for {
		m, _, err := g.sock.receive()
		switch {
		case err != nil || m.kind == 0 || int(m.a) >= len(g.missing):
			g.fail(guardError("keep denied paths away", fmt.Errorf("the guard ended: %w", errors.Join(err))))
			g.lost()
			return
		case m.kind == C.MSG_EXPELLED:
			g.removed(g.missing[m.a])
		case m.kind == C.MSG_STUCK:
			g.fail(guardError("remove "+g.missing[m.a].Path, unix.Errno(m.b)))
		case m.kind == C.MSG_APPEARED:
			g.settle(int(m.a), false)
			g.tell(message{kind: C.CTL_SETTLED, a: m.a})
		case m.kind == C.MSG_FINISHED:
			return
		}
	}
}

func (g *guard) tell(m message) error {
	return os.NewSyscallError("send", unix.Send(g.sock.fd, m.encode(), unix.MSG_NOSIGNAL))
}

func (g *guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errs = append(g.errs, err)
}

// stop has the guard look a last time. Nothing runs in the sandbox any more.
func (g *guard) stop() error {
	if g == nil {
		return nil
	}
	for number := range g.missing {
		if g.shared(number) {
			g.settle(number, true)
		}
	}
	g.tell(message{kind: C.CTL_FINISH}) // a guard that is gone was reported by run
	<-g.finished
	g.end()
	return errors.Join(g.errs...)
}

// cancel ends the guard of a run that did not begin.
func (g *guard) cancel() {
	if g == nil {
		return
	}
	syscall.Kill(g.pid, syscall.SIGKILL)
	<-g.finished
	g.end()
}

func (g *guard) end() {
	g.sock.close()
	waitFor(g.pid)
	for _, root := range g.roots {
		root.Close()
	}
}
