package proxy

import (
	"net"

	"srun/policy"
	"srun/proxy/internal/serving"
)

// mostPublished bounds the connections to one published port at once. One more
// waits.
const mostPublished = 512

// Published is a port of the sandbox's localhost that can be reached from the
// host, and why.
type Published struct {
	Port   uint16
	Rule   string
	Source policy.Source
	Dial   func(port uint16) (net.Conn, error) // inside the sandbox
}

// ServePublished joins what connects to a listener of the host's to a port of
// the sandbox. It returns when the listener fails or the server closes, nil in
// that case.
func (s *Server) ServePublished(l net.Listener, p Published) error {
	places := make(chan struct{}, mostPublished)
	return s.registry.Accept(placed{l, places}, func(conn net.Conn) {
		place, entry := s.registry.Enter(conn, true, func() { <-places })
		c := &session{filter: s.filter, Place: place, conn: conn, via: viaPublish}
		switch entry {
		case serving.Admitted:
			go func() {
				c.servePublished(p)
				c.endUnlessHanded()
			}()
		case serving.Crowded:
			reset(conn)
			c.End()
		default:
			reset(conn)
			<-places
		}
	})
}

// placed accepts where there is a place.
type placed struct {
	net.Listener
	places chan struct{}
}

func (l placed) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
	}
	return conn, err
}

func (c *session) servePublished(p Published) {
	g := grant{target: hostAt(p.Port), from: c.conn.RemoteAddr()}
	g.dec = policy.Decision{Verdict: policy.Allowed, Rule: p.Rule, Source: p.Source, Exact: true}
	arrived := c.Reach()
	inside, err := p.Dial(p.Port)
	arrived()
	g.passage = c.record.allowed(g, c.via, "", inside, err)
	if err != nil {
		reset(c.conn) // as refused as it can still be
		return
	}
	c.joined(g, inside, nil)
}
