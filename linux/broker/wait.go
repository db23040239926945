//go:build linux

package broker

import (
	"time"

	"golang.org/x/sys/unix"
)

// blocks says that a call waits for another process, and is answered later.
const blocks = unix.Errno(4096)

// openSlowly is for what would make its caller wait: a pipe that nobody reads,
// or a file that somebody has a lease on. It is that very file that is waited
// for, as in the kernel, whatever comes to its name.
func (c *call) openSlowly(s spot, o *openArgs, errno unix.Errno) (int, unix.Errno) {
	if o.flags&unix.O_NONBLOCK != 0 {
		return -1, errno
	}
	fd, err := unix.Openat2(s.dir, s.last(), &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: noLinks})
	if err != nil {
		return -1, errno
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO && !(st.Mode&unix.S_IFMT == unix.S_IFREG && errno == unix.EAGAIN) {
		unix.Close(fd)
		return -1, errno
	}
	c.wait.Add(1)
	go c.openWhenReady(&call{note: c.note, abi: c.abi, what: c.what}, fd, *o)
	return -1, blocks
}

// Times between two tries.
const (
	firstTry = 200 * time.Microsecond
	lastTry  = 10 * time.Millisecond
)

// openWhenReady tries until it can be done, on a thread of its own. The pipe's
// other end sees its peer when the caller has it.
func (b *Broker) openWhenReady(later *call, file int, o openArgs) {
	defer b.wait.Done()
	defer unix.Close(file)
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
		fd, errno := b.openAgain(file, &o)
		if errno != unix.ENXIO && errno != unix.EAGAIN {
			later.give(fd, errno, o.flags&unix.O_CLOEXEC != 0)
			return
		}
	}
}
