package proxy

import (
	"net"
	"net/netip"

	"srun/policy"
)

// ServeForward serves connections that lead to a port of the host's 127.0.0.1.
// by is the rule that forwards the port, with its source; where it is empty, a
// rule for localhost has to allow the port. A deny rule wins over both. It
// returns when the listener fails or the server closes, nil in that case.
func (s *Server) ServeForward(l net.Listener, port uint16, by string, source policy.Source) error {
	return s.serve(l, func(c *session) { c.serveForward(port, by, source) })
}

func (c *session) serveForward(port uint16, by string, source policy.Source) {
	c.via = viaForward
	g, err := c.s.admit(c.s.ctx, hostAt(port), forwardDoor{by, source})
	if err != nil {
		c.refused(err)
		reset(c.conn)
		return
	}
	arrived := c.reach()
	host, err := c.s.dialAny(c.s.ctx, []netip.Addr{loopback4}, port)
	arrived()
	g.passage = c.s.auditAllowed(g, c.via, "", host, err)
	if err != nil {
		reset(c.conn) // as refused as it can still be
		return
	}
	if c.s.ruled(g.target) {
		c.tunnel(g, host, nil)
		return
	}
	c.join(nil, g, host, nil)
}
