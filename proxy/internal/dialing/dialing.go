// Package dialing is the way out: it looks names up and opens connections, to what
// it is told. It decides nothing.
package dialing

import (
	"context"
	"net"
	"net/netip"
	"time"
)

const (
	resolveTimeout = 15 * time.Second       // for one name
	dialStagger    = 250 * time.Millisecond // before the next address is tried beside the first (RFC 8305)
	keepAlive      = 30 * time.Second       // TCP keepalive, so that a dead peer ends its tunnel
)

// Net is the network outside the sandbox.
type Net struct {
	// Resolve looks a name up; nil is Go's own resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// Dial opens a TCP connection; nil is a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// One opens one TCP connection, never MPTCP.
func (n *Net) One(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
	if n.Dial != nil {
		return n.Dial(ctx, "tcp", a.String())
	}
	d := net.Dialer{KeepAlive: keepAlive}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, "tcp", a.String())
}

// Any connects to the first of the addresses that answers: they are
// tried in turn, families alternating, each a moment after the one before or
// at once when that failed (RFC 8305). The error is that of the first address.
func (n *Net) Any(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	if len(addrs) == 1 {
		return n.One(ctx, netip.AddrPortFrom(addrs[0], port))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	race := &race{dial: n.One, ctx: ctx, port: port, addrs: alternate(addrs), results: make(chan attempt)}
	return race.run()
}
