package serving

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// maxConns bounds the connections being served at once, idle tunnels
	// included.
	maxConns = 4096

	// extraRefusals bounds the refusals in progress beyond the limit.
	extraRefusals = 128

	closeTimeout = 500 * time.Millisecond // for what is being served to end
	drainTimeout = 2 * time.Second        // for what clients wrote to go out after they ended
	drainPoll    = time.Millisecond       // between looks whether it has
)

// Registry is the listeners and connections of one server. Its methods may be
// called from any goroutine.
type Registry struct {
	ctx context.Context

	mu        sync.Mutex
	tracked   map[io.Closer]*Place // listeners (nil) and accepted connections
	accepting map[io.Closer]bool   // listeners that somebody accepts on
	rounds    map[io.Closer]chan struct{}
	served    int
	outside   int // of the served, at most half: the rest is the command's
	limit     int // of the served; 0 until it is known
	closed    bool
	wg        sync.WaitGroup // of the served
}

// New returns an empty registry. ctx ends before Close is called.
func New(ctx context.Context) *Registry {
	return &Registry{
		ctx: ctx, tracked: make(map[io.Closer]*Place), accepting: make(map[io.Closer]bool), rounds: make(map[io.Closer]chan struct{}),
	}
}

// Closed reports that the server is closed.
func (r *Registry) Closed() bool { return r.ctx.Err() != nil }

// Close closes every listener and connection, and waits a moment for what is being
// served to end.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	for c := range r.tracked {
		c.Close()
	}
	r.mu.Unlock()
	ended := make(chan struct{})
	go func() { r.wg.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(closeTimeout):
	}
}

// Served is how many connections are being served.
func (r *Registry) Served() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.served
}

// SetLimit has n connections be served at once, in place of as many as the limit
// on descriptors allows.
func (r *Registry) SetLimit(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = n
}

// Accept accepts until the listener fails or the server closes, and then
// returns the listener's error or nil. It closes the listener.
func (r *Registry) Accept(l net.Listener, start func(net.Conn)) error {
	if !r.Expect(l) {
		return nil
	}
	defer r.Untrack(l)
	r.mu.Lock()
	r.accepting[l] = true
	r.mu.Unlock()
	var wait time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			start(conn)
		case r.Closed():
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			r.betweenAccepts(l)
		case !passes(err):
			return err
		default:
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
		}
	}
}

// passes reports that an error of accept says nothing of the listener: the
// next accept may succeed.
func passes(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.ECONNABORTED, syscall.EINTR,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Entry is how a connection is received.
type Entry int

// The entries. A connection that is shut out has no place.
const (
	Admitted Entry = iota
	Crowded        // over the limit: say so
	Shut           // closed, or far over the limit: reset
)

// Enter gives a connection its place. freed, which may be nil, is called when the
// place is given back.
func (r *Registry) Enter(conn net.Conn, outside bool, freed func()) (*Place, Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == 0 {
		r.limit = sessionLimit()
	}
	if r.closed || r.served >= r.limit+extraRefusals || outside && 2*r.outside >= r.limit {
		return nil, Shut
	}
	if outside {
		r.outside++
	}
	r.served++
	r.wg.Add(1)
	p := &Place{r: r, conn: conn, outside: outside, freed: freed}
	r.tracked[conn] = p
	if r.served > r.limit {
		return p, Crowded
	}
	return p, Admitted
}

func (r *Registry) leave(p *Place) {
	r.mu.Lock()
	delete(r.tracked, p.conn)
	r.served--
	if p.outside {
		r.outside--
	}
	r.mu.Unlock()
	if p.freed != nil {
		p.freed()
	}
	r.wg.Done()
}

// Expect has Drain know of a listener that is going to be served, and wait for who
// comes there. It closes the listener, and returns false, where the server is
// closed.
func (r *Registry) Expect(c io.Closer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	r.tracked[c] = nil
	return true
}

// Untrack closes what Expect was told of.
func (r *Registry) Untrack(c io.Closer) {
	c.Close()
	r.mu.Lock()
	delete(r.tracked, c)
	delete(r.accepting, c)
	if round := r.rounds[c]; round != nil {
		close(round)
		delete(r.rounds, c)
	}
	r.mu.Unlock()
}
