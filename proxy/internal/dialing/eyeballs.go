package dialing

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// race is one set of connection attempts. Losers are closed.
type race struct {
	dial    func(context.Context, netip.AddrPort) (net.Conn, error)
	ctx     context.Context
	port    uint16
	addrs   []netip.Addr // not tried yet
	results chan attempt
	running int
}

type attempt struct {
	conn net.Conn
	err  error
}

func (r *race) run() (net.Conn, error) {
	var first error
	stagger := time.NewTimer(dialStagger)
	defer stagger.Stop()
	r.next()
	for {
		select {
		case got := <-r.results:
			r.running--
			if got.err == nil {
				go r.closeLosers(r.running)
				return got.conn, nil
			}
			if first == nil {
				first = got.err
			}
			if len(r.addrs) == 0 && r.running == 0 {
				return nil, first
			}
			r.next()
		case <-stagger.C:
			r.next()
		}
		stagger.Reset(dialStagger)
	}
}

func (r *race) next() {
	if len(r.addrs) == 0 {
		return
	}
	a := netip.AddrPortFrom(r.addrs[0], r.port)
	r.addrs = r.addrs[1:]
	r.running++
	go func() {
		conn, err := r.dial(r.ctx, a)
		r.results <- attempt{conn, err}
	}()
}

func (r *race) closeLosers(n int) {
	for range n {
		if got := <-r.results; got.err == nil {
			got.conn.Close()
		}
	}
}

// alternate orders addresses so that the families take turns, beginning with
// that of the first.
func alternate(addrs []netip.Addr) []netip.Addr {
	var same, other []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			same = append(same, a)
		} else {
			other = append(other, a)
		}
	}
	ordered := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(same), len(other)) {
		if i < len(same) {
			ordered = append(ordered, same[i])
		}
		if i < len(other) {
			ordered = append(ordered, other[i])
		}
	}
	return ordered
}
