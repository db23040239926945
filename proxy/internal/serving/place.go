package serving

import (
	"net"
	"sync/atomic"
)

// Place is what one accepted connection takes up, until End.
type Place struct {
	r       *Registry
	conn    net.Conn
	outside bool   // it came from outside the sandbox
	freed   func() // called when it is given back; nil for nobody
	outer   *Place // of the connection that this is the inside of; nil for none

	reaching atomic.Int32 // dials and questions under way
	spent    bool         // all that the client sent is on its way (r.mu)
	hangUp   func()       // then, until called: closes what waits for an answer (r.mu)
}

// Inside is the place of a connection that runs inside this one's.
func (p *Place) Inside(conn net.Conn) *Place { return &Place{conn: conn, outer: p} }

// End closes the connection and gives its place back. It is called once.
func (p *Place) End() {
	p.conn.Close()
	if p.outer != nil {
		p.outer.End()
		return
	}
	p.r.leave(p)
}

func (p *Place) outermost() *Place {
	for p.outer != nil {
		p = p.outer
	}
	return p
}

// AllSent says that what the client sent is on its way, and what is to be
// closed when it is too late for the answer; nil says that there is more.
func (p *Place) AllSent(conns ...net.Conn) {
	p = p.outermost()
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.spent = conns != nil
	p.hangUp = nil
	if conns != nil {
		p.hangUp = func() {
			for _, conn := range conns {
				conn.Close()
			}
		}
	}
}

// Reach marks that the connection is on its way to a server, which may be long,
// until the function that it returns is called.
func (p *Place) Reach() (end func()) {
	p = p.outermost()
	p.reaching.Add(1)
	return func() { p.reaching.Add(-1) }
}
