//go:build linux

package broker

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Serve deals with calls until no process is left that could make one. A command
// that makes none costs no thread: the runtime's poller waits for the first, and
// again where none came for a while.
func (b *Broker) Serve() {
	defer b.end()
	for b.called() {
		b.pool.Lock()
		b.start()
		b.pool.Unlock()
		if b.watch() {
			return
		}
	}
}

// called waits for a call; false is that nobody is left to make one. The
// descriptor is the poller's for that time alone, or each call would wake it.
func (b *Broker) called() bool {
	fd, err := unix.FcntlInt(uintptr(b.notify), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil || unix.SetNonblock(fd, true) != nil {
		return false
	}
	file := os.NewFile(uintptr(fd), "calls")
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	err = raw.Read(func(uintptr) bool {
		n, err := unix.Poll(fds, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	return err == nil && fds[0].Revents&unix.POLLIN != 0
}

// start makes a new worker the one that takes the next call, up to a bound. The
// pool is locked.
func (b *Broker) start() {
	if len(b.workers) >= mostWorkers {
		return
	}
	w := &worker{wake: make(chan struct{}, 1)}
	b.workers[w] = true
	b.leader.Store(w)
	go b.work(w)
}

// lead has a worker take the next call where nobody does.
func (b *Broker) lead() {
	b.pool.Lock()
	defer b.pool.Unlock()
	if b.leader.Load() == nil && !b.ended {
		b.start()
	}
}

// promote has another worker take the next call, where it is still this one's
// turn.
func (b *Broker) promote(from *worker) {
	b.pool.Lock()
	defer b.pool.Unlock()
	if b.leader.Load() != from {
		return
	}
	n := len(b.parked)
	if n == 0 {
		b.start()
		return
	}
	next := b.parked[n-1]
	b.parked = b.parked[:n-1]
	b.leader.Store(next)
	next.wake <- struct{}{}
}

// mostParked bounds the workers that wait for their turn.
const mostParked = 4

// turn waits until it is the worker's turn; false is that it is not needed.
func (w *worker) turn() bool {
	if w.leader.Load() == w {
		return true
	}
	w.pool.Lock()
	if w.leader.Load() == nil && !w.ended { // the last one ended
		w.leader.Store(w)
	}
	if w.leader.Load() == w {
		w.pool.Unlock()
		return true
	}
	if len(w.parked) >= mostParked || w.ended {
		w.pool.Unlock()
		return false
	}
	w.parked = append(w.parked, w)
	w.pool.Unlock()
	_, more := <-w.wake
	return more
}

func (b *Broker) work(w *worker) {
	ended, err := false, b.enter(w)
	if err == nil {
		ended = w.serve()
	}
	w.closeTasks()
	b.pool.Lock()
	defer b.pool.Unlock()
	delete(b.workers, w)
	select {
	case b.gone <- struct{}{}:
	default:
	}
	b.ended = b.ended || ended || err != nil
	if b.leader.CompareAndSwap(w, nil) { // with it go those that wait
		for _, parked := range b.parked {
			close(parked.wake)
		}
		b.parked = nil
	}
}

// watch has a worker take the next call where the one whose turn it is deals
// with a slow one. It returns when no worker is left; ended is that there is
// nothing more to do.
func (b *Broker) watch() (ended bool) {
	timer := time.NewTimer(slowTime)
	defer timer.Stop()
	for quiet := slowTime; ; quiet = min(2*quiet, 20*slowTime) {
		timer.Reset(quiet)
		select {
		case <-timer.C:
		case <-b.gone:
		}
		b.pool.Lock()
		left, ended := len(b.workers), b.ended
		b.pool.Unlock()
		if left == 0 {
			return ended
		}
		w := b.leader.Load()
		if w == nil { // it was idle too long, and the others are held up
			b.lead()
			continue
		}
		if at := w.busy.Load(); at != 0 {
			quiet = slowTime / 2
			if at < time.Now().Add(-slowTime).UnixNano() {
				b.promote(w)
			}
		}
	}
}
