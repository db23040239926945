//go:build linux

package broker

import "sync"

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
			r.busy = false
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

// flush returns when everything so far was told.
func (r *reports) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.busy {
		r.quiet.Wait()
	}
}
