//go:build linux

package broker

import (
	"time"

	"golang.org/x/sys/unix"
)

// blocks says that a call waits for another process, and is answered later.
const blocks = unix.Errno(4096)

// openSlowly is for what would make its caller wait: a pipe that nobody reads,
// or a file that somebody has a lease on.
func (c *call) openSlowly(s spot, o *openArgs, errno unix.Errno) (int, unix.Errno) {
	var st unix.Stat_t
	if o.flags&unix.O_NONBLOCK != 0 || unix.Fstatat(s.dir, s.last(), &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return -1, errno
	}
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFIFO && !(kind == unix.S_IFREG && errno == unix.EAGAIN) {
		return -1, errno
	}
	dir, err := unix.FcntlInt(uintptr(s.dir), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1, errnoOf(err)
	}
	c.wait.Add(1)
	go c.openWhenReady(&call{note: c.note, abi: c.abi, what: c.what}, spot{dir, s.name}, *o)
	return -1, blocks
}

// Times between two tries.
const (
	firstTry = 200 * time.Microsecond
	lastTry  = 10 * time.Millisecond
)

// openWhenReady tries until it can be done, on a thread of its own. The pipe's
// other end sees its peer when the caller has it.
func (b *Broker) openWhenReady(later *call, s spot, o openArgs) {
	defer b.wait.Done()
	defer unix.Close(s.dir)
	later.worker = new(worker)
	if err := b.enter(later.worker); err != nil {
		answer(b.notify, later.note.id, 0, unix.EPERM)
		return
	}
	defer later.closeKept()
	defer later.closeTasks()
	for pause := firstTry; ; pause = min(2*pause, lastTry) {
		time.Sleep(pause)
		if !waits(b.notify, later.note.id) {
			return
		}
		if pause == lastTry {
			if errno := later.signalled(); errno != 0 {
				later.reply(0, errno)
				return
			}
		}
		fd, errno := later.openNow(s, &o)
		if errno != unix.ENXIO && errno != unix.EAGAIN {
			later.give(fd, errno, o.flags&unix.O_CLOEXEC != 0)
			return
		}
	}
}
