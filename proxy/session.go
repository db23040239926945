package proxy

import (
	"context"
	"errors"
	"net"

	"srun/proxy/internal/question"
	"srun/proxy/internal/serving"
)

// session is one accepted connection, from accept to close.
type session struct {
	*filter
	*serving.Place
	conn net.Conn
	via  string // one of the via constants

	handed bool // a tunnel ends it, not the goroutine that accepted it
}

// inner is the session of what runs inside conn, which is this one's TLS.
func (c *session) inner(conn net.Conn) *session {
	return &session{filter: c.filter, Place: c.Inside(conn), conn: conn, via: c.via, handed: true}
}

func (c *session) endUnlessHanded() {
	if !c.handed {
		c.End()
	}
}

// asking is the door of who has the user asked.
func (c *session) asking() door {
	return askingDoor{func() question.Process { return c.record.who(c.conn) }}
}

// admit decides on a target, which may be long.
func (c *session) admit(to target, d door) (grant, error) {
	defer c.Reach()()
	return c.decide.admit(c.ctx, to, d)
}

// connect takes a target the whole way from its rule to an open connection. A
// refusal is a *Denial, not yet reported.
func (c *session) connect(to target, d door) (grant, net.Conn, error) {
	defer c.Reach()()
	g, err := c.admit(to, d)
	if err != nil {
		return grant{}, nil, err
	}
	if c.dials.exits.defersDial(g.target, c.via) {
		return g, deferredConn{}, nil
	}
	return c.dial(c.ctx, g)
}

// dial dials for a grant and logs what came of it.
func (c *session) dial(ctx context.Context, g grant) (grant, net.Conn, error) {
	defer c.Reach()()
	upstream, err := c.dials.dial(ctx, g, c.via)
	if err != nil {
		c.warnOfProxy(g.target, err)
	}
	if _, denied := errors.AsType[*Denial](err); !denied {
		g.passage = c.record.allowed(g, c.via, "", upstream, err)
	}
	return g, upstream, err
}

// refused reports err when it is a denial, and returns the denial.
func (c *session) refused(err error) (*Denial, bool) {
	d, ok := errors.AsType[*Denial](err)
	if ok {
		c.record.report(d, c.conn, c.via)
	}
	return d, ok
}

// deferredConn stands for a connection that is not dialled yet.
type deferredConn struct{ net.Conn }

// Close has nothing to close.
func (deferredConn) Close() error { return nil }
