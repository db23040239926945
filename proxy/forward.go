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
	g, err := c.decide.admit(c.ctx, hostAt(port), forwardDoor{by, source})
	if err != nil {
		c.refused(err)
		reset(c.conn)
		return
	}
	arrived := c.Reach()
	host, err := c.dials.out.Any(c.ctx, []netip.Addr{loopback4}, port)
	arrived()
	g.passage = c.record.allowed(g, c.via, "", host, err)
	if err != nil {
		reset(c.conn) // as refused as it can still be
		return
	}
	if c.requests.ruled(g.target) {
		c.tunnel(g, host, nil)
		return
	}
	c.joined(g, host, nil)
}
