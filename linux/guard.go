//go:build linux

package linux

/*
#include "init.h"
#include "enter.h"
*/
import "C"

import (
	"errors"
	"os"
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
	held    []string // paths, by the list's numbers
	removed func(MissingPath)
	planted func(path string, final bool) []string
	lost    func() // the guard ended before its time

	nested   *nested // what it finds below the writable directories
	running  bool    // run takes its reports
	first    bool    // the command must not run before stand
	over     bool    // it has ended
	finished chan struct{}
	mu       sync.Mutex
	errs     []error
}

// newGuard hands the guard its list; nil when there is nothing on it. The
// command must not run before it holds.
func newGuard(c *Config, list *guardList, in *sandboxInit) (*guard, error) {
	if list.empty() {
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
		pid: in.guardPID, sock: in.guard, missing: c.Plan.Missing, held: list.held, removed: c.Removed, planted: c.Planted,
		lost: func() { in.kill() }, finished: make(chan struct{}),
	}
	g.nested = newNested(c)
	g.sock.extra = unix.PathMax
	if err := g.send(list, in); err != nil {
		return nil, err
	}
	in.guard, in.guardPID = nil, 0
	in.closeNamespaces()
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

// send gives the guard its list.
func (g *guard) send(l *guardList, in *sandboxInit) error {
	list, err := memoryFile(l.body)
	if err != nil {
		return err
	}
	defer unix.Close(list)
	rights := unix.UnixRights(list, in.userNS, in.mountNS)
	err = unix.Sendmsg(g.sock.fd, message{kind: C.CTL_GUARD, a: int32(in.pid)}.encode(), rights, nil, unix.MSG_NOSIGNAL)
	if err != nil {
		return guardError("tell the guard", err)
	}
	return nil
}

// holds waits until the guard has taken its list.
func (g *guard) holds() error {
	if g == nil {
		return nil
	}
	m, _, err := g.sock.receive()
	for ; err == nil && m.kind == C.MSG_FOUND; m, _, err = g.sock.receive() {
		g.nested.add(m.a, m.path)
	}
	switch {
	case err != nil:
		return guardError("hear from the guard", err)
	case m.kind == msgFailed:
		return failure(m)
	case m.kind != C.MSG_GUARDING:
		return guardError("start the guard", errors.New("it ended"))
	}
	g.first = g.take()
	g.running = true
	go g.run()
	return nil
}

// run takes the guard's reports until its end.
func (g *guard) run() {
	defer close(g.finished)
	for {
		m, _, err := g.sock.receive()
		switch {
		case m.kind == C.MSG_UNHELD:
			g.fail(guardError("hold "+g.heldPath(m.a)+", found or replaced while the command ran", unix.Errno(m.b)))
			g.lost()
		case m.kind == C.MSG_FOUND:
			g.nested.add(m.a, m.path)
			g.hold()
		case m.kind == C.MSG_HELD:
			g.nested.answered()
			g.hold()
		case m.kind == C.MSG_NESTED:
			g.expelled(m.path, unix.Errno(m.a))
		case m.kind == msgFailed:
			g.fail(failure(m))
			g.lost()
			return
		case err != nil || m.kind == 0 || int(m.a) >= max(1, len(g.listed())):
			g.fail(guardError("keep denied paths away", errors.Join(errors.New("the guard ended"), err)))
			g.lost()
			return
		case m.kind == C.MSG_EXPELLED:
			g.removed(g.listed()[m.a])
		case m.kind == C.MSG_STUCK:
			g.fail(guardError("remove "+g.listed()[m.a].Path, unix.Errno(m.b)))
		case m.kind == C.MSG_APPEARED:
			g.fail(asCommand(func() { g.settle(int(m.a), false) }))
			g.tell(message{kind: C.CTL_SETTLED, a: m.a})
		case m.kind == C.MSG_FINISHED:
			return
		}
	}
}

// shared tells whether others than the command may make the path, so that it is
// srun's to judge: a settings directory, where another run may write.
func (g *guard) shared(number int) bool { return g.planted != nil && isShared(g.listed()[number]) }

// listed returns the paths that are kept away, by their numbers.
func (g *guard) listed() []MissingPath {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.missing
}

func (g *guard) heldPath(number int32) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if int(number) < len(g.held) {
		return g.held[number]
	}
	return "a protected path"
}

func (g *guard) settleAll() {
	for number, m := range g.listed() {
		var st unix.Stat_t
		if g.shared(number) && unix.Lstat(m.Path, &st) != unix.ENOENT {
			g.fail(asCommand(func() { g.settle(number, true) }))
		}
	}
}

func (g *guard) tell(m message) error {
	return os.NewSyscallError("send", unix.Send(g.sock.fd, m.encode(), unix.MSG_NOSIGNAL))
}

func (g *guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.errs = append(g.errs, err)
	}
}

// stop has the guard look a last time. Nothing runs in the sandbox any more.
func (g *guard) stop() error {
	if g == nil {
		return nil
	}
	g.settleAll()
	g.tell(message{kind: C.CTL_FINISH}) // fails where the guard saw the end by itself
	<-g.finished
	g.end()
	g.over = true
	g.takeRest()
	g.settleAll() // what the guard was told of too late, or told of itself
	g.tame()
	g.fail(g.nested.underWay.end(g.removed))
	return errors.Join(g.errs...)
}

// cancel ends the guard of a run that did not begin.
func (g *guard) cancel() {
	if g == nil {
		return
	}
	syscall.Kill(g.pid, syscall.SIGKILL)
	if g.running {
		<-g.finished
	}
	g.end()
}

func (g *guard) end() {
	g.sock.close()
	waitFor(g.pid)
}
