package proxy

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// session is one accepted connection, from accept to close.
type session struct {
	s    *Server
	conn net.Conn
	via  string // one of the via constants

	ended  func()   // called when its place is given back; nil for nobody
	handed bool     // a tunnel ends it, not the goroutine that accepted it
	outer  *session // of the TLS connection that this is the inside of; nil for none

	reaching atomic.Int32 // dials and questions under way
	spent    bool         // all that the client sent is on its way (s.mu)
	hangUp   func()       // then, until called: closes what waits for an answer (s.mu)
}

// end closes the connection and gives its place back. It is called once.
func (c *session) end() {
	c.conn.Close()
	if c.outer != nil {
		c.outer.end()
		return
	}
	c.s.leave(c)
}

func (c *session) endUnlessHanded() {
	if !c.handed {
		c.end()
	}
}

// connect takes a target the whole way from its rule to an open connection. A
// refusal is a *Denial, not yet reported.
func (c *session) connect(to target, d door) (grant, net.Conn, error) {
	defer c.reach()()
	g, err := c.s.admit(c.s.ctx, to, d)
	if err != nil {
		return grant{}, nil, err
	}
	if c.s.defersDial(g.target, c.via) {
		return g, deferredConn{}, nil
	}
	return c.dial(c.s.ctx, g)
}

// dial dials for a grant and logs what came of it.
func (c *session) dial(ctx context.Context, g grant) (grant, net.Conn, error) {
	defer c.reach()()
	upstream, err := c.s.dial(ctx, g, c.via)
	if err != nil {
		c.s.warnOfProxy(g.target, err)
	}
	if _, denied := errors.AsType[*Denial](err); !denied {
		g.passage = c.s.auditAllowed(g, c.via, "", upstream, err)
	}
	return g, upstream, err
}

// refused reports err when it is a denial, and returns the denial.
func (c *session) refused(err error) (*Denial, bool) {
	d, ok := errors.AsType[*Denial](err)
	if ok {
		c.s.report(d, c.conn, c.via)
	}
	return d, ok
}
