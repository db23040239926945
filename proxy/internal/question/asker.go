package question

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"srun/policy"
)

// Unlisted is why a name that no rule covers is denied.
const Unlisted = "not in allowedDomains"

const (
	// maxWaiting bounds the connections that wait for an answer to a question;
	// one more is denied without asking.
	maxWaiting = 256

	// maxKept bounds the answers no that are kept.
	maxKept = 1 << 16

	askTimeout = 60 * time.Second // an unanswered question is No
)

// Asker holds the questions being asked and the answers given. Questions wait
// for each other on turn; requests for one target share a question.
type Asker struct {
	ask     func(context.Context, Question) Answer // nil for nobody
	limit   time.Duration
	decided func(policy.HostPort) bool

	asking context.Context // ends with Stop
	stop   context.CancelFunc

	turn sync.Mutex // held while ask runs

	mu      sync.Mutex
	pending map[policy.HostPort]*question
	waiting int
	given   map[policy.HostPort]given // keyed by scope
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

// ErrMoot says that the rules changed while a question waited: they decide.
var ErrMoot = errors.New("the rules decide by now")

// New returns what asks by ask, which may be nil. A question may stay unanswered
// for limit, 0 is 60 s, and is not put where the rules have decided by then. What
// is asked ends with ctx.
func New(ctx context.Context, ask func(context.Context, Question) Answer, limit time.Duration, decided func(policy.HostPort) bool) *Asker {
	if limit == 0 {
		limit = askTimeout
	}
	a := &Asker{ask: ask, limit: limit, decided: decided, pending: make(map[policy.HostPort]*question), given: make(map[policy.HostPort]given)}
	a.asking, a.stop = context.WithCancel(ctx)
	return a
}

// Stop ends a question that is being asked; from then on nobody is asked.
func (a *Asker) Stop() { a.stop() }

// Asks reports that there is a user to ask.
func (a *Asker) Asks() bool { return a.ask != nil }

// Ask puts a target to the user, once for all who want it, and returns why it is
// refused, "" when the answer is yes. by tells who wants it; nil is unknown.
func (a *Asker) Ask(ctx context.Context, to policy.HostPort, by func() Process) (refused string, err error) {
	if !a.Asks() {
		return Unlisted, nil
	}
	q, reason := a.join(to, by)
	if q == nil {
		return reason, nil
	}
	defer a.quit()
	select {
	case <-q.done:
		if q.moot {
			return "", ErrMoot
		}
		return q.reason, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-a.asking.Done():
		return "", a.asking.Err()
	}
}

// Waiting is how many wait for an answer.
func (a *Asker) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting
}

// join returns the question for target that is under way, or starts one. When
// there is an answer already, it returns that: nil and the reason.
func (a *Asker) join(to policy.HostPort, by func() Process) (*question, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if answered, reason := a.known(to); answered {
		return nil, reason
	}
	if a.waiting >= maxWaiting {
		return nil, Unlisted + ", and too many requests wait for an answer"
	}
	a.waiting++
	if q := a.pending[to]; q != nil {
		return q, ""
	}
	q := &question{done: make(chan struct{})}
	a.pending[to] = q
	go a.put(to, q, by)
	return q, ""
}

func (a *Asker) quit() {
	a.mu.Lock()
	a.waiting--
	a.mu.Unlock()
}

// known returns the answer given before, if any. a.mu is held.
func (a *Asker) known(to policy.HostPort) (answered bool, reason string) {
	g, answered := a.given[scope(to)]
	return answered && g.holds(), g.reason
}

// put asks when its turn comes and settles q, at the latest when time is up.
// The turn ends only when ask has returned, so that no two ever overlap.
func (a *Asker) put(to policy.HostPort, q *question, by func() Process) {
	a.turn.Lock()
	defer a.turn.Unlock()
	if a.settleWithoutAsking(to, q) {
		return
	}
	ctx, cancel := context.WithTimeout(a.asking, a.limit)
	defer cancel()
	tooLate := Answer{Reason: "no answer in " + a.limit.String()}
	timer := time.AfterFunc(a.limit, func() { a.settle(to, q, tooLate) })
	defer timer.Stop()
	question := Question{Target: to}
	if by != nil {
		question.Process = by()
	}
	answer := a.ask(ctx, question)
	if ctx.Err() != nil {
		answer = tooLate
	}
	a.settle(to, q, answer)
}

// settleWithoutAsking uses what was decided while q waited: an answer for the
// same name on another port, or rules that changed.
func (a *Asker) settleWithoutAsking(to policy.HostPort, q *question) bool {
	if a.decided(to) || a.asking.Err() != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		q.moot, q.reason = a.asking.Err() == nil, Unlisted
		a.finish(to, q)
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	answered, reason := a.known(to)
	if answered {
		q.reason = reason
		a.finish(to, q)
	}
	return answered
}

// settle records the answer and wakes those who wait. The first settle counts.
func (a *Asker) settle(to policy.HostPort, q *question, answer Answer) {
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
func (a *Asker) remember(key policy.HostPort, reason string, answer Answer) {
	if answer.Once || !answer.Allow && len(a.given) >= maxKept {
		return
	}
	g := given{reason: reason}
	if answer.For > 0 {
		g.until = time.Now().Add(answer.For)
	}
	a.given[key] = g
}

// finish wakes those who wait for q. a.mu is held.
func (a *Asker) finish(to policy.HostPort, q *question) {
	delete(a.pending, to)
	close(q.done)
}

// SaidYes reports that the user allowed the name before.
func (a *Asker) SaidYes(h policy.Host) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	answered, reason := a.known(policy.HostPort{Host: h})
	return answered && reason == ""
}

// scope is what an answer holds for: a host on every port, and of localhost,
// where each port is another service of the host's, only what was asked.
func scope(to policy.HostPort) policy.HostPort {
	if to.Host != policy.Localhost {
		to.Port = 0
	}
	return to
}
