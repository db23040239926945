//go:build linux

package broker

import (
	"bytes"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// task is a thread of the command's, by its directory in srun's /proc: that one
// is of the thread itself, and leads nowhere once another has its number.
type task struct {
	dir   int
	group int // its process; 0: not known
	umask int // as of the umasks' generation
	since uint64
}

// mostTasks bounds what a worker keeps open.
const mostTasks = 64

// task returns the caller's. again is for one that turned out to be gone.
func (c *call) task(again bool) (*task, unix.Errno) {
	t := c.tasks[c.tid()]
	if t != nil && !again {
		return t, 0
	}
	fd, err := unix.Open("/proc/"+strconv.Itoa(c.tid()), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, readError(err)
	}
	if !waits(c.notify, c.note.id) { // it could be another's already
		unix.Close(fd)
		return nil, unix.EINTR
	}
	if len(c.tasks) >= mostTasks {
		c.closeTasks()
	} else if t != nil {
		unix.Close(t.dir)
	}
	t = &task{dir: fd}
	c.tasks[c.tid()] = t
	return t, 0
}

func (w *worker) closeTasks() {
	for _, t := range w.tasks {
		unix.Close(t.dir)
	}
	clear(w.tasks)
}

// inTask opens a name of the caller's directory in /proc.
func (c *call) inTask(name string, flags int) (int, error) {
	for again := false; ; again = true {
		t, errno := c.task(again)
		if errno != 0 {
			return -1, errno
		}
		fd, err := unix.Openat(t.dir, name, flags|unix.O_CLOEXEC, 0)
		if again || err != unix.ENOENT && err != unix.ESRCH {
			c.known = c.known || err == nil
			return fd, err
		}
	}
}

// umasks tells when a umask that was read may have changed since. The filter
// stops umask(2) only to have it counted; it is done some time after, at the
// latest when its caller makes the next call.
type umasks struct {
	generation atomic.Uint64
	unsettled  atomic.Int32
	mu         sync.Mutex
	changing   map[int]bool // threads that called umask, and nothing since
	shared     bool         // processes share theirs (CLONE_FS): none is kept
}

// mostChanging bounds the threads that may have called umask and ended.
const mostChanging = 4096

func (u *umasks) change(tid int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.changing == nil || len(u.changing) >= mostChanging {
		u.shared = u.shared || u.changing != nil
		u.changing = map[int]bool{}
	}
	u.changing[tid] = true
	u.unsettled.Store(int32(len(u.changing)))
	u.generation.Add(1)
}

// share is for processes that will have one umask between them.
func (u *umasks) share() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.shared = true
	u.generation.Add(1)
}

// settle is for a thread that makes another call.
func (u *umasks) settle(tid int) {
	if u.unsettled.Load() == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.changing, tid)
	u.unsettled.Store(int32(len(u.changing)))
}

// mayKeep tells whether what was read of a process can be kept.
func (u *umasks) mayKeep(t *task) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.shared {
		return false
	}
	for tid := range u.changing {
		var st unix.Stat_t
		if unix.Fstatat(t.dir, "task/"+strconv.Itoa(tid), &st, 0) == nil {
			return false // of the same process
		}
	}
	return true
}

// takeUmask has the worker make files with the caller's umask.
func (c *call) takeUmask() unix.Errno {
	t, errno := c.task(false)
	if errno != 0 {
		return errno
	}
	generation := c.umasks.generation.Load()
	if t.group != 0 && t.since == generation && c.isTask(t) {
		c.setUmask(t.umask)
		return 0
	}
	fd, err := c.inTask("status", unix.O_RDONLY)
	if err != nil {
		return readError(err)
	}
	n, err := unix.Read(fd, c.buf)
	unix.Close(fd)
	if err != nil {
		return readError(err)
	}
	mask, ok := field(c.buf[:n], "\nUmask:\t", 8)
	group, hasGroup := field(c.buf[:n], "\nTgid:\t", 10)
	if !ok || !hasGroup {
		return unix.EPERM
	}
	if t, errno = c.task(false); errno == 0 && c.umasks.mayKeep(t) {
		t.group, t.umask, t.since = group, mask, generation
	}
	c.setUmask(mask)
	return 0
}

// isTask tells whether what is kept of the caller is of the caller. Another task
// with its number has another directory.
func (c *call) isTask(t *task) bool {
	if !c.known {
		var st unix.Stat_t
		c.known = unix.Fstatat(t.dir, "fd", &st, 0) == nil
	}
	return c.known
}

// field is a number in a text of /proc.
func field(text []byte, name string, base int) (int, bool) {
	_, rest, found := bytes.Cut(text, []byte(name))
	value, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.ParseInt(string(value), base, 32)
	return int(n), found && err == nil
}
