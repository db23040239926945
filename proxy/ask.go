package proxy

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"srun/policy"
)

// unlistedReason is why a name that no rule covers is denied.
const unlistedReason = "not in allowedDomains"

// asker holds the questions being asked and the answers given. Questions wait
// for each other on turn; requests for one target share a question.
type asker struct {
	turn sync.Mutex // held while Ask runs

	mu      sync.Mutex
	pending map[target]*question
	waiting int
	given   map[target]given // keyed by scope
}

// given is an answer that holds for a while.
type given struct {
	reason string    // "" for a yes
	until  time.Time // the zero time is the end of the run
}

func (g given) holds() bool { return g.until.IsZero() || time.Now().Before(g.until) }

// question is one question, asked or waiting for its turn. The rest is set
// before done closes.
type question struct {
	done   chan struct{}
	reason string // "" when the answer was yes
	moot   bool   // never asked: the rules decide by now
}

// errMoot says that the rules changed while a question waited: they decide.
var errMoot = errors.New("the rules decide by now")

// asks reports that there is a user to ask.
func (s *Server) asks() bool { return s.cfg.Ask != nil && !s.cfg.Strict }

// ask puts the target to the user, once for all who want it, and returns nil
// when the answer is yes.
func (s *Server) ask(ctx context.Context, to target, conn net.Conn) error {
	if !s.asks() {
		return unlisted(to, unlistedReason)
	}
	q, reason := s.join(to, conn)
	if q == nil {
		return refusedByAnswer(to, reason)
	}
	defer s.asker.quit()
	select {
	case <-q.done:
		if q.moot {
			return errMoot
		}
		return refusedByAnswer(to, q.reason)
	case <-ctx.Done():
		return ctx.Err()
	case <-s.asking.Done():
		return s.asking.Err()
	}
}

// StopAsking ends a question that is being asked; from then on nobody is asked.
// Nobody is left to wait for the answer.
func (s *Server) StopAsking() { s.stopAsking() }

func refusedByAnswer(to target, reason string) error {
	if reason == "" {
		return nil
	}
	return unlisted(to, reason)
}

// join returns the question for target that is under way, or starts one. When
// there is an answer already, it returns that: nil and the reason.
func (s *Server) join(to target, conn net.Conn) (*question, string) {
	a := &s.asker
	a.mu.Lock()
	defer a.mu.Unlock()
	if answered, reason := a.known(to); answered {
		return nil, reason
	}
	if a.waiting >= maxWaiting {
		return nil, unlistedReason + ", and too many requests wait for an answer"
	}
	a.waiting++
	if q := a.pending[to]; q != nil {
		return q, ""
	}
	q := &question{done: make(chan struct{})}
	if a.pending == nil {
		a.pending = make(map[target]*question)
	}
	a.pending[to] = q
	go s.put(to, q, conn)
	return q, ""
}

func (a *asker) quit() {
	a.mu.Lock()
	a.waiting--
	a.mu.Unlock()
}

// known returns the answer given before, if any. a.mu is held.
func (a *asker) known(to target) (answered bool, reason string) {
	g, answered := a.given[scope(to)]
	return answered && g.holds(), g.reason
}

// put asks when its turn comes and settles q, at the latest when time is up.
// The turn ends only when Ask has returned, so that no two ever overlap.
func (s *Server) put(to target, q *question, conn net.Conn) {
	s.asker.turn.Lock()
	defer s.asker.turn.Unlock()
	if s.settleWithoutAsking(to, q) {
		return
	}
	limit := s.cfg.AskTimeout
	if limit == 0 {
		limit = askTimeout
	}
	ctx, cancel := context.WithTimeout(s.asking, limit)
	defer cancel()
	tooLate := Answer{Reason: "no answer in " + limit.String()}
	timer := time.AfterFunc(limit, func() { s.settle(to, q, tooLate) })
	defer timer.Stop()
	question := Question{Target: to.HostPort}
	if s.cfg.Peer != nil && conn != nil {
		question.Process = s.cfg.Peer(conn)
	}
	answer := s.cfg.Ask(ctx, question)
	if ctx.Err() != nil {
		answer = tooLate
	}
	s.settle(to, q, answer)
}

// settleWithoutAsking uses what was decided while q waited: an answer for the
// same name on another port, or rules that changed.
func (s *Server) settleWithoutAsking(to target, q *question) bool {
	if _, dec := s.judge(to); dec.Verdict != policy.Undecided || s.asking.Err() != nil {
		s.asker.mu.Lock()
		defer s.asker.mu.Unlock()
		q.moot, q.reason = s.asking.Err() == nil, unlistedReason
		s.asker.finish(to, q)
		return true
	}
	s.asker.mu.Lock()
	defer s.asker.mu.Unlock()
	answered, reason := s.asker.known(to)
	if answered {
		q.reason = reason
		s.asker.finish(to, q)
	}
	return answered
}

// settle records the answer and wakes those who wait. The first settle counts.
func (s *Server) settle(to target, q *question, answer Answer) {
	a := &s.asker
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending[to] != q {
		return
	}
	if !answer.Allow {
		q.reason = cmp.Or(answer.Reason, "answered no")
	}
	a.remember(scope(to), q.reason, answer)
	a.finish(to, q)
}

// remember keeps an answer for those who ask later. a.mu is held.
func (a *asker) remember(key target, reason string, answer Answer) {
	if answer.Once || !answer.Allow && len(a.given) >= maxTold {
		return
	}
	g := given{reason: reason}
	if answer.For > 0 {
		g.until = time.Now().Add(answer.For)
	}
	if a.given == nil {
		a.given = make(map[target]given)
	}
	a.given[key] = g
}

// finish wakes those who wait for q. a.mu is held.
func (a *asker) finish(to target, q *question) {
	delete(a.pending, to)
	close(q.done)
}

// saidYes reports that the user allowed the name before.
func (s *Server) saidYes(h policy.Host) bool {
	s.asker.mu.Lock()
	defer s.asker.mu.Unlock()
	answered, reason := s.asker.known(targetOf(policy.HostPort{Host: h}))
	return answered && reason == ""
}

// scope is what an answer holds for: a host on every port, and of localhost,
// where each port is another service of the host's, only what was asked.
func scope(to target) target {
	if to.kind != theHost {
		to.Port = 0
	}
	return to
}
