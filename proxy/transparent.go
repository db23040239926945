package proxy

import (
	"errors"
	"net"

	"srun/proxy/internal/origdst"
	"srun/proxy/internal/upstream"
)

// ServeTransparent serves connections that were made to any address and port
// and ended here, by a local route or a redirect: the destination is found
// from the connection itself. It returns when the listener fails or the server
// closes, nil in that case.
func (s *Server) ServeTransparent(l net.Listener) error {
	if err := origdst.Supported(); err != nil {
		l.Close()
		return err
	}
	return s.serve(l, (*session).serveTransparent)
}

// serveTransparent joins a connection to where it was going. What is refused
// is reset, as by a firewall.
func (c *session) serveTransparent() {
	c.via = viaTransparent
	dest, err := origdst.Of(c.conn)
	if err != nil || dest.Port() == 0 {
		reset(c.conn)
		return
	}
	if g, server, ok := c.ready.take(dest); ok {
		c.carry(g, server, nil)
		return
	}
	d := c.asking()
	if dest.Addr().IsLoopback() {
		d = probeDoor{}
	}
	g, server, err := c.connect(targetAt(dest), d)
	if refusal, ok := errors.AsType[*upstream.Refusal](err); ok {
		c.serveDeferred(g, nil, refusal)
		return
	}
	if err != nil {
		c.refused(err)
		reset(c.conn)
		return
	}
	c.carry(g, server, nil)
}
