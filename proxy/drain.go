package proxy

import (
	"net"
	"time"

	"srun/proxy/internal/relay"
)

// Drain lets what the clients wrote go out, once none of them is left: their
// sockets have ended then, and what they had written is still in them. Without
// a proxy the kernel would send it after they are gone. Drain returns when all
// is on its way, or after drainTimeout. waiting, which may be nil, tells of
// connections that no listener of the server has yet. It looks again and again:
// what a socket still holds unread is no event to anybody but its reader.
func (s *Server) Drain(waiting func() bool) {
	deadline := time.Now().Add(drainTimeout)
	for time.Now().Before(deadline) {
		if waiting != nil && waiting() || s.unserved() || !s.roundOfAccepts(deadline) || s.unsent() {
			time.Sleep(drainPoll)
			continue
		}
		return
	}
}

// roundOfAccepts waits until each listener's goroutine was between two accepts:
// with nothing left to be accepted, none has a connection in hand then that is no
// session yet.
func (s *Server) roundOfAccepts(deadline time.Time) bool {
	var rounds []chan struct{}
	s.mu.Lock()
	for c, of := range s.tracked {
		l, ok := c.(interface{ SetDeadline(time.Time) error })
		if of != nil || !ok || !s.accepting[c] {
			continue
		}
		round := make(chan struct{})
		s.rounds[c] = round
		rounds = append(rounds, round)
		l.SetDeadline(time.Unix(1, 0)) // has its accept return
	}
	s.mu.Unlock()
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
func (s *Server) betweenAccepts(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		d.SetDeadline(time.Time{})
	}
	if round := s.rounds[l]; round != nil {
		close(round)
		delete(s.rounds, l)
	}
}

// unserved reports that a listener has connections to be accepted.
func (s *Server) unserved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, of := range s.tracked {
		if of == nil && relay.Acceptable(c) {
			return true
		}
	}
	return false
}

// unsent hangs up where the server alone is waited for, and reports that
// somewhere it is not.
func (s *Server) unsent() (some bool) {
	s.mu.Lock()
	var over []func()
	for _, c := range s.tracked {
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
	s.mu.Unlock()
	for _, hangUp := range over {
		hangUp()
	}
	return some
}

// allSent says that what the client sent is on its way, and what is to be
// closed when it is too late for the answer; nil says that there is more.
func (c *session) allSent(conns ...net.Conn) {
	for c.outer != nil {
		c = c.outer
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.spent = conns != nil
	c.hangUp = nil
	if conns != nil {
		c.hangUp = func() {
			for _, conn := range conns {
				conn.Close()
			}
		}
	}
}

// reach marks that the session is on its way to a server, which may be long,
// until the function that it returns is called.
func (c *session) reach() (end func()) {
	for c.outer != nil {
		c = c.outer
	}
	c.reaching.Add(1)
	return func() { c.reaching.Add(-1) }
}
