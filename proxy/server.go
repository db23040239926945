package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"srun/policy"
	"srun/proxy/internal/addrguard"
	"srun/proxy/internal/fakedns"
)

// Server filters what its listeners accept. Its methods may be called from any
// goroutine.
type Server struct {
	cfg     Config
	domains atomic.Pointer[policy.Domains]
	asker   asker
	names   fakedns.Table
	told    toldNames
	log     auditLog
	guard   addrguard.Guard
	warned  warnings

	http2    atomic.Int32 // connections of HTTP/2 in terminated TLS
	requests atomic.Int32 // and the requests in them

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	asking     context.Context // ends with StopAsking
	stopAsking context.CancelFunc

	mu        sync.Mutex
	tracked   map[io.Closer]*session // listeners (nil) and accepted connections
	accepting map[io.Closer]bool     // listeners that somebody accepts on
	rounds    map[io.Closer]chan struct{}
	sessions  int
	published int // of the sessions, at most half: the rest is the command's
	limit     int
	closed    bool
	wg        sync.WaitGroup // sessions
}

// New returns a server that serves nothing yet. It does no work: nothing is
// opened, resolved or listed before the first connection.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, tracked: make(map[io.Closer]*session), accepting: make(map[io.Closer]bool), rounds: make(map[io.Closer]chan struct{})}
	s.guard.Denied, s.guard.HostAddrs = cfg.DeniedAddresses, cfg.HostAddrs
	s.SetDomains(cfg.Domains)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.asking, s.stopAsking = context.WithCancel(s.ctx)
	return s
}

// SetDomains replaces the rules, from the next connection or request on. Open
// tunnels stay.
func (s *Server) SetDomains(d *policy.Domains) {
	if d == nil {
		d = policy.NewDomains(nil, nil)
	}
	s.domains.Store(d)
}

// Close closes every listener and connection and ends a question that is being
// asked. It waits a moment for what is being served to end, and returns nil.
func (s *Server) Close() error {
	s.cancel() // first: what the closes below interrupt must see why
	s.mu.Lock()
	s.closed = true
	for c := range s.tracked {
		c.Close()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.wg.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(lingerTimeout):
	}
	return nil
}

// serve accepts until the listener fails or the server closes, and then
// returns the listener's error or nil. It closes the listener.
func (s *Server) serve(l net.Listener, handle func(*session)) error {
	return s.acceptAll(l, func(conn net.Conn) { s.start(conn, handle) })
}

func (s *Server) acceptAll(l net.Listener, start func(net.Conn)) error {
	if !s.Expect(l) {
		return nil
	}
	defer s.untrack(l)
	s.mu.Lock()
	s.accepting[l] = true
	s.mu.Unlock()
	var wait time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			start(conn)
		case s.isClosed():
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.betweenAccepts(l)
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

// start serves conn on a goroutine of its own.
func (s *Server) start(conn net.Conn, handle func(*session)) {
	c := &session{s: s, conn: conn}
	switch s.enter(c) {
	case admitted:
	case crowded:
		handle = (*session).refuseBusy
	default:
		reset(conn)
		return
	}
	go func() {
		handle(c)
		c.endUnlessHanded()
	}()
}

type entry int

const (
	admitted entry = iota
	crowded        // over the limit: say so
	shut           // closed, or far over the limit: reset
)

// refusals in progress beyond the limit on sessions
const extraRefusals = 128

func (s *Server) enter(c *session) entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit == 0 {
		s.limit = sessionLimit()
	}
	outside := c.via == viaPublish
	if s.closed || s.sessions >= s.limit+extraRefusals || outside && 2*s.published >= s.limit {
		return shut
	}
	if outside {
		s.published++
	}
	s.sessions++
	s.wg.Add(1)
	s.tracked[c.conn] = c
	if s.sessions > s.limit {
		return crowded
	}
	return admitted
}

func (s *Server) leave(c *session) {
	s.mu.Lock()
	delete(s.tracked, c.conn)
	s.sessions--
	if c.via == viaPublish {
		s.published--
	}
	s.mu.Unlock()
	if c.ended != nil {
		c.ended()
	}
	s.wg.Done()
}

// Expect has Drain know of a listener that is going to be served, and wait for who
// comes there. It closes the listener, and returns false, where the server is
// closed.
func (s *Server) Expect(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.tracked[c] = nil
	return true
}

func (s *Server) untrack(c io.Closer) {
	c.Close()
	s.mu.Lock()
	delete(s.tracked, c)
	delete(s.accepting, c)
	if round := s.rounds[c]; round != nil {
		close(round)
		delete(s.rounds, c)
	}
	s.mu.Unlock()
}

func (s *Server) isClosed() bool { return s.ctx.Err() != nil }
