package proxy

import (
	"net"

	"srun/policy"
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
	return s.acceptAll(placed{l, places}, func(conn net.Conn) {
		c := &session{s: s, conn: conn, via: viaPublish, ended: func() { <-places }}
		switch s.enter(c) {
		case admitted:
			go func() {
				c.servePublished(p)
				c.endUnlessHanded()
			}()
		case crowded:
			reset(conn)
			c.end()
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
	arrived := c.reach()
	inside, err := p.Dial(p.Port)
	arrived()
	g.passage = c.s.auditAllowed(g, c.via, "", inside, err)
	if err != nil {
		reset(c.conn) // as refused as it can still be
		return
	}
	c.join(nil, g, inside, nil)
}
