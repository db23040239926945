package proxy

import (
	"net"
	"net/netip"

	"srun/policy"
)

// ServeTransparent serves connections that were made to any address and port
// and ended here, by a local route or a redirect: the destination is found
// from the connection itself. It returns when the listener fails or the server
// closes, nil in that case.
func (s *Server) ServeTransparent(l net.Listener) error {
	if err := canServeTransparent(); err != nil {
		l.Close()
		return err
	}
	return s.serve(l, (*session).serveTransparent)
}

// serveTransparent joins a connection to where it was going. What is refused
// is reset, as by a firewall.
func (c *session) serveTransparent() {
	c.via = viaTransparent
	dest, err := originalDestination(c.conn)
	if err != nil || dest.Port() == 0 {
		reset(c.conn)
		return
	}
	g, upstream, err := c.connectTo(dest)
	if err != nil {
		c.refused(err)
		reset(c.conn)
		return
	}
	c.tunnel(g, upstream, nil)
}

func (c *session) connectTo(dest netip.AddrPort) (grant, net.Conn, error) {
	target := policy.HostPort{Host: policy.HostFromAddr(dest.Addr()), Port: dest.Port()}
	return c.connect(c.s.ctx, target)
}
