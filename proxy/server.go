package proxy

import (
	"context"
	"io"
	"net"

	"srun/policy"
	"srun/proxy/internal/serving"
	"srun/proxy/internal/stub"
)

// Server filters what its listeners accept. Its methods may be called from any
// goroutine.
type Server struct {
	*filter
	dns      nameServer
	registry *serving.Registry
	cancel   context.CancelFunc
}

// New returns a server that serves nothing yet. It does no work: nothing is
// opened, resolved or listed before the first connection.
func New(cfg Config) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	f := newFilter(ctx, &cfg)
	s := &Server{filter: f, registry: serving.New(ctx), cancel: cancel}
	s.dns.filter, s.dns.outside, s.dns.places = f, stub.New(cfg.NameServers), make(chan struct{}, maxQueries)
	return s
}

// SetDomains replaces the rules, from the next connection or request on. Open
// tunnels stay.
func (s *Server) SetDomains(d *policy.Domains) { s.rules.set(d) }

// StopAsking ends a question that is being asked; from then on nobody is asked.
// Nobody is left to wait for the answer.
func (s *Server) StopAsking() { s.decide.asker.Stop() }

// Close closes every listener and connection and ends a question that is being
// asked. It waits a moment for what is being served to end, and returns nil.
func (s *Server) Close() error {
	s.cancel() // first: what the closes below interrupt must see why
	s.registry.Close()
	return nil
}

// Expect has Drain know of a listener that is going to be served, and wait for who
// comes there. It closes the listener, and returns false, where the server is
// closed.
func (s *Server) Expect(c io.Closer) bool { return s.registry.Expect(c) }

// Drain lets what the clients wrote go out, once none of them is left: their
// sockets have ended then, and what they had written is still in them. Without
// a proxy the kernel would send it after they are gone. Drain returns when all
// is on its way, or after 2 s. waiting, which may be nil, tells of connections that
// no listener of the server has yet.
func (s *Server) Drain(waiting func() bool) { s.registry.Drain(waiting) }

// serve accepts until the listener fails or the server closes, and then
// returns the listener's error or nil. It closes the listener.
func (s *Server) serve(l net.Listener, handle func(*session)) error {
	return s.registry.Accept(l, func(conn net.Conn) { s.start(conn, handle) })
}

// start serves conn on a goroutine of its own.
func (s *Server) start(conn net.Conn, handle func(*session)) {
	place, entry := s.registry.Enter(conn, false, nil)
	c := &session{filter: s.filter, Place: place, conn: conn}
	switch entry {
	case serving.Admitted:
	case serving.Crowded:
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
