//go:build linux

package broker

import (
	"sync"
	"time"
)

// inTime bounds how long a refusal waits for its line. srun and the command
// write to one terminal: told later, the line lands in the middle of what the
// program says of the refusal.
const inTime = 20 * time.Millisecond

// mostReports bounds what waits to be told: a report that nobody takes, because
// a terminal is stopped, holds up no call.
const mostReports = 4096

// reports tells of denials in the order in which they came.
type reports struct {
	tell func(any)

	mu     sync.Mutex
	queue  []any
	busy   bool       // somebody tells what is in the queue
	quiet  *sync.Cond // nobody does any more
	missed int        // left out since the queue was full
	late   bool       // nobody took one in time, and it is still so
}

func (r *reports) start(denied func(Denial)) {
	r.quiet = sync.NewCond(&r.mu)
	r.tell = func(item any) {
		switch item := item.(type) {
		case Denial:
			if denied != nil {
				denied(item)
			}
		case func():
			item()
		}
	}
}

// put leaves out what does not fit.
func (r *reports) put(item any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= mostReports {
		r.missed++
		return
	}
	r.queue = append(r.queue, item)
	if !r.busy {
		r.busy = true
		go r.run()
	}
}

func (r *reports) run() {
	for {
		r.mu.Lock()
		if len(r.queue) == 0 {
			r.busy, r.late = false, false
			r.quiet.Broadcast()
			r.mu.Unlock()
			return
		}
		item := r.queue[0]
		r.queue = r.queue[1:]
		r.mu.Unlock()
		r.tell(item)
	}
}

// told puts an item and returns when it was told, or when nobody takes it: that
// is waited for once, and not for each item.
func (r *reports) told(item any) {
	done := make(chan struct{})
	r.put(func() { r.tell(item); close(done) })
	r.mu.Lock()
	late := r.late
	r.mu.Unlock()
	if late {
		return
	}
	select {
	case <-done:
	case <-time.After(inTime):
		r.mu.Lock()
		r.late = r.busy
		r.mu.Unlock()
	}
}

// flush returns when everything so far was told, with how much was left out.
func (r *reports) flush() (missed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.busy {
		r.quiet.Wait()
	}
	return r.missed
}
