//go:build linux

package broker

import (
	"slices"
	"sync"
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
	if !c.waiting.add(c.Broker, &waiter{call: call{note: c.note, abi: c.abi, what: c.what}, file: fd, args: *o}) {
		unix.Close(fd)
		return -1, unix.EAGAIN
	}
	return -1, blocks
}

// Times between two tries.
const (
	firstTry = 200 * time.Microsecond
	lastTry  = 10 * time.Millisecond
)

// waiter is a call that waits for another process to open the same pipe, or to
// give up its lease.
type waiter struct {
	call
	file  int // O_PATH
	args  openArgs
	pause time.Duration
	next  time.Time
}

// waiting are all of them. One thread tries them in turn, however many they are,
// and takes no more than a part of a processor for it.
type waiting struct {
	mu    sync.Mutex
	added []*waiter // and not tried yet
	left  int       // of all
	busy  bool      // somebody tries
}

// mostTried bounds the tries between two rests.
const mostTried = 64

const mostWaiting = 10_000

func (q *waiting) add(b *Broker, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.left >= mostWaiting {
		return false
	}
	w.pause, w.next = firstTry, time.Now().Add(firstTry)
	q.left++
	q.added = append(q.added, w)
	if !q.busy {
		q.busy = true
		b.wait.Add(1)
		go b.tryWaiting()
	}
	return true
}

// take returns those that were added; none is left when there is nobody to wait
// for any more.
func (q *waiting) take(answered, left int) (added []*waiter, none bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left -= answered
	added, q.added = q.added, nil
	q.busy = left+len(added) > 0
	return added, !q.busy
}

// tryWaiting tries until none is left. The pipe's other end sees its peer when
// the caller has it.
func (b *Broker) tryWaiting() {
	defer b.wait.Done()
	var thread worker
	err := b.enter(&thread)
	var calls []*waiter
	answered := 0
	for {
		added, none := b.waiting.take(answered, len(calls))
		if none {
			thread.closeTasks()
			return
		}
		for _, w := range added {
			w.worker = &thread
		}
		calls = append(calls, added...)
		var rest time.Duration
		calls, answered, rest = tryEach(calls, err)
		time.Sleep(rest)
	}
}

// tryEach tries those whose time has come, and returns the others, those that had
// no turn first, and how long to rest.
func tryEach(calls []*waiter, failed error) (left []*waiter, answered int, rest time.Duration) {
	began := time.Now()
	soonest := began.Add(lastTry)
	var tried []*waiter
	for i, w := range calls {
		if len(tried)+answered >= mostTried {
			return append(slices.Clone(calls[i:]), append(left, tried...)...), answered, firstTry + time.Since(began)
		}
		switch {
		case failed != nil:
			w.reply(0, unix.EPERM)
		case time.Now().Before(w.next):
			left = append(left, w)
			if w.next.Before(soonest) {
				soonest = w.next
			}
			continue
		case !w.try():
			tried = append(tried, w)
			if w.next.Before(soonest) {
				soonest = w.next
			}
			continue
		}
		unix.Close(w.file)
		answered++
	}
	return append(left, tried...), answered, time.Until(soonest)
}

// try tells whether the call was answered, or nobody waits for it any more.
func (w *waiter) try() bool {
	defer w.closeKept()
	if !waits(w.notify, w.note.id) {
		return true
	}
	if w.pause == lastTry {
		if errno := w.signalled(); errno != 0 {
			w.reply(0, errno)
			return true
		}
	}
	fd, errno := w.openAgain(w.file, &w.args)
	if errno != unix.ENXIO && errno != unix.EAGAIN {
		w.give(fd, errno, w.args.flags&unix.O_CLOEXEC != 0)
		return true
	}
	w.pause = min(2*w.pause, lastTry)
	w.next = time.Now().Add(w.pause)
	return false
}
