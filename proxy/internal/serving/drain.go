package serving

import (
	"net"
	"time"

	"srun/proxy/internal/relay"
)

// Drain lets what the clients wrote go out, once none of them is left: their
// sockets have ended then, and what they had written is still in them. Without
// a proxy the kernel would send it after they are gone. Drain returns when all
// is on its way, or after drainTimeout. waiting, which may be nil, tells of
// connections that no listener has yet. It looks again and again:
// what a socket still holds unread is no event to anybody but its reader.
func (r *Registry) Drain(waiting func() bool) {
	deadline := time.Now().Add(drainTimeout)
	for time.Now().Before(deadline) {
		if waiting != nil && waiting() || r.unserved() || !r.roundOfAccepts(deadline) || r.unsent() {
			time.Sleep(drainPoll)
			continue
		}
		return
	}
}

// roundOfAccepts waits until each listener's goroutine was between two accepts:
// with nothing left to be accepted, none has a connection in hand then that is no
// place yet.
func (r *Registry) roundOfAccepts(deadline time.Time) bool {
	var rounds []chan struct{}
	r.mu.Lock()
	for c, of := range r.tracked {
		l, ok := c.(interface{ SetDeadline(time.Time) error })
		if of != nil || !ok || !r.accepting[c] {
			continue
		}
		round := make(chan struct{})
		r.rounds[c] = round
		rounds = append(rounds, round)
		l.SetDeadline(time.Unix(1, 0)) // has its accept return
	}
	r.mu.Unlock()
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	for _, round := range rounds {
		select {
		case <-round:
		case <-late.C:
			return false
		}
	}
	return true
}

// betweenAccepts ends a round for one listener.
func (r *Registry) betweenAccepts(l net.Listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		d.SetDeadline(time.Time{})
	}
	if round := r.rounds[l]; round != nil {
		close(round)
		delete(r.rounds, l)
	}
}

// unserved reports that a listener has connections to be accepted.
func (r *Registry) unserved() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, of := range r.tracked {
		if of == nil && relay.Acceptable(c) {
			return true
		}
	}
	return false
}

// unsent hangs up where the server alone is waited for, and reports that
// somewhere it is not.
func (r *Registry) unsent() (some bool) {
	r.mu.Lock()
	var over []func()
	for _, c := range r.tracked {
		switch {
		case c == nil:
		case c.hangUp != nil:
			over = append(over, c.hangUp)
			c.hangUp = nil
		case c.reaching.Load() > 0:
			some = some || relay.Unread(c.conn)
		case !c.spent:
			some = true
		}
	}
	r.mu.Unlock()
	for _, hangUp := range over {
		hangUp()
	}
	return some
}
