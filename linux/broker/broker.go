//go:build linux

package broker

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Config is what a broker serves.
type Config struct {
	Notify   int  // the filter's notification descriptor, the broker's from now on
	Killable bool // the filter waits so (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	Rules    Rules
	Sockets  Sockets

	// Runs is a file of srun's own by which runs at the same time know of each
	// other; "" is none.
	Runs string

	// Denied is told of every refusal that the broker made; nil is nobody. It is
	// called from a goroutine of its own and holds up no call.
	Denied func(Denial)

	// Bound is told of each Internet port that is bound, 0 for any that was free; nil
	// is nobody. The caller waits for it.
	Bound func(port uint16)

	// Failed judges an act that was tried and that the kernel refused with an errno
	// which the sandbox's mounts refuse with; nil is nobody. The caller waits for it
	// for a moment, so that what it does next is not seen yet. What it returns, if
	// anything, tells of a denial, and is called as Denied is.
	Failed func(Failure) (tell func())

	// Missed is told in the end of how many denials there was no room to tell; nil is
	// nobody.
	Missed func(int)

	Onward Onward // nil: every connection is made at once
}

// Denial is an act that was refused.
type Denial struct {
	Operation string // "write" or "unix-socket"
	Path      string
	Why       Why
	PID       int
	Command   string
}

// Failure is an act that failed.
type Failure struct {
	Call    string   // its name in the manual
	Paths   []string // of each of its arguments that is one, links resolved
	Flags   uint64   // of open(2), unlinkat(2), renameat2(2)
	Errno   unix.Errno
	PID     int
	Command string
}

// Broker deals with the calls that a filter stops.
type Broker struct {
	notify    int
	onFailure func(Failure) func()
	onBound   func(uint16)
	onMissed  func(int)
	onward    Onward    // nil where nothing leaves the sandbox, or all does
	restarts  *restarts // nil: only what kills a caller takes it away from a call that was taken
	rules     *index
	ages      *ages
	sockets   *sockets
	reports   reports
	began     time.Time
	locks     locks
	rebases   rebases
	former    former
	worktrees worktrees
	umasks    umasks
	waiting   waiting
	refused   refused
	onwards   atomic.Int32 // connects that wait for one to be made outside

	rootOnce sync.Mutex
	rootFD   int

	pool    sync.Mutex
	workers map[*worker]bool
	parked  []*worker              // wait for their turn
	leader  atomic.Pointer[worker] // whose turn it is
	dealing atomic.Int32           // workers that deal with a call
	ended   bool
	wait    sync.WaitGroup // for calls that block
	gone    chan struct{}  // a worker ended
	done    chan struct{}
}

// New returns a broker; Serve makes it deal with calls.
func New(c Config) *Broker {
	// The caller and the broker take turns: wake each on the other's processor.
	unix.IoctlSetInt(c.Notify, notifSetFlags, syncWakeUp)
	b := &Broker{
		notify: c.Notify, onFailure: c.Failed, onBound: c.Bound, onMissed: c.Missed, onward: c.Onward, rules: newIndex(&c.Rules), ages: newAges(openRuns(c.Runs)), rootFD: -1,
		sockets: newSockets(c.Sockets), workers: map[*worker]bool{}, began: time.Now(),
		gone: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if !c.Killable {
		b.restarts = newRestarts()
	}
	b.reports.start(c.Denied)
	return b
}

// end is for a broker that nobody can call any more.
func (b *Broker) end() {
	defer close(b.done)
	b.wait.Wait()
	b.endRebases()
	unix.Close(b.notify)
	if b.rootFD >= 0 {
		unix.Close(b.rootFD)
	}
	b.sockets.close()
	b.ages.close()
	if b.restarts != nil {
		b.restarts.close()
	}
}

// Wait returns when nobody can call any more and every report was told.
func (b *Broker) Wait() {
	if b == nil { // the command never began
		return
	}
	<-b.done
	if missed := b.reports.flush(); missed > 0 && b.onMissed != nil {
		b.onMissed(missed)
	}
}

// deal does a call and answers it.
func (c *call) deal() {
	c.what, c.abi = kindOf(&c.note)
	c.umasks.settle(c.tid())
	if c.restarts != nil {
		c.restarts.begin(c.note.pid)
		defer c.restarts.end(c.note.pid)
		if c.repeated() {
			return
		}
	}
	val, errno := int64(0), unix.EPERM // i386's socketcall: its arguments lie in memory
	switch c.what {
	case callOpen, callOpenat, callCreat:
		c.open()
		return
	case callConnect:
		c.connect()
		return
	case callGetsockname:
		c.getsockname()
		return
	case callUmask:
		c.umasks.change(c.tid())
		letContinue(c.notify, c.note.id)
		return
	case callClone:
		c.umasks.share()
		letContinue(c.notify, c.note.id)
		return
	case callBind:
		errno = c.bind()
	case callMkdir, callMkdirat:
		errno = c.mkdir()
	case callMknod, callMknodat:
		errno = c.mknod()
	case callSymlink, callSymlinkat:
		errno = c.symlink()
	case callLink, callLinkat:
		errno = c.link()
	case callRename, callRenameat, callRenameat2:
		errno = c.rename()
	case callUnlink, callUnlinkat, callRmdir:
		errno = c.unlink()
	case callTruncate, callTruncate64:
		errno = c.truncate()
	}
	c.reply(val, errno)
}

// reply answers, and takes down that something was done of which nobody heard.
func (c *call) reply(val int64, errno unix.Errno) {
	if answer(c.notify, c.note.id, val, errno) != 0 && errno == 0 {
		c.notDelivered(lost{val: val, file: -1})
	}
}

// deny tells of a refusal and returns its errno.
func (c *call) deny(p string, why *Why) unix.Errno {
	if why == &unseen && !waits(c.notify, c.note.id) {
		return unix.EINTR // that is why it could not be seen
	}
	pid, name := c.process()
	c.reports.told(Denial{Operation: "write", Path: clipped(p), Why: *why, PID: pid, Command: name})
	return unix.EACCES
}

// clipped is a path as it is told: one may have megabytes, and denials are kept.
func clipped(p string) string {
	if len(p) <= unix.PathMax {
		return p
	}
	return p[:unix.PathMax] + "..."
}

// failed tells of an act that the sandbox may have refused, and returns its errno.
func (c *call) failed(errno unix.Errno, paths ...string) unix.Errno {
	switch errno {
	case unix.EROFS, unix.EACCES, unix.EPERM, unix.EBUSY, unix.EXDEV:
		if !slices.Contains(paths, "") {
			pid, command := c.process()
			c.judgeFailure(Failure{Call: callNames[c.what], Paths: paths, Flags: c.flags(), Errno: errno, PID: pid, Command: command})
		}
	}
	return errno
}

// patience bounds how long a caller waits for a failure to be judged: on a file
// system that does not answer that would be for ever.
const patience = 100 * time.Millisecond

// judgeFailure has a thread with srun's own rights look at a failure.
func (b *Broker) judgeFailure(f Failure) {
	if b.onFailure == nil {
		return
	}
	judged := make(chan struct{})
	go func() {
		defer close(judged)
		if tell := b.onFailure(f); tell != nil {
			b.reports.told(tell)
		}
	}()
	select {
	case <-judged:
	case <-time.After(patience):
	}
}

// flags are those of the call that matter to a report.
func (c *call) flags() uint64 {
	switch c.what {
	case callOpen, callOpenat, callCreat:
		_, _, flags, _ := c.openCall()
		return uint64(flags)
	case callUnlinkat:
		return c.arg(2)
	case callRenameat2:
		return c.arg(4)
	}
	return 0
}

// process is the caller's process number and name. It still waits.
func (c *call) process() (pid int, name string) {
	values, _ := c.status("Tgid")
	pid, _ = strconv.Atoi(values[0])
	comm, _ := os.ReadFile(c.proc("comm"))
	return pid, string(bytes.TrimSpace(comm))
}
