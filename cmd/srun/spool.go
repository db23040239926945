package main

import (
	"sync"
	"time"
)

// spool writes what is told, one after another. Where nobody takes it, because a
// terminal is stopped or a pager full, it holds up one who tells, and not each: the
// refusals that they are about must go on, and none be lost.
type spool struct {
	mu      sync.Mutex
	pending []func()
	busy    bool // somebody writes what is pending
	late    bool // one was not written in time, and it is still so
	lost    int  // did not fit
	idle    chan struct{}
}

const (
	writtenIn  = 10 * time.Millisecond // as a rule
	mostSpools = 100_000
)

// put writes in its turn, and returns when that is done or takes long.
func (s *spool) put(write func()) {
	written := make(chan struct{})
	s.mu.Lock()
	if len(s.pending) >= mostSpools {
		s.lost++
		s.mu.Unlock()
		return
	}
	s.pending = append(s.pending, func() { write(); close(written) })
	if !s.busy {
		s.busy, s.idle = true, make(chan struct{})
		go s.run()
	}
	late := s.late
	s.mu.Unlock()
	if late {
		return
	}
	select {
	case <-written:
	case <-time.After(writtenIn):
		s.mu.Lock()
		s.late = s.busy
		s.mu.Unlock()
	}
}

func (s *spool) run() {
	for {
		s.mu.Lock()
		if len(s.pending) == 0 {
			s.busy, s.late, s.pending = false, false, nil
			close(s.idle)
			s.mu.Unlock()
			return
		}
		write := s.pending[0]
		s.pending = s.pending[1:]
		s.mu.Unlock()
		write()
	}
}

// wait returns when everything is written, or nobody has taken anything for as long as
// patience is, with how much was not written.
func (s *spool) wait(patience time.Duration) (lost int, stuck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy {
		idle, left := s.idle, len(s.pending)
		s.mu.Unlock()
		select {
		case <-idle:
		case <-time.After(patience):
		}
		s.mu.Lock()
		if s.busy && len(s.pending) == left {
			return s.lost + left, true
		}
	}
	return s.lost, false
}
