package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"srun/proxy/internal/question"
	"srun/proxy/internal/upstream"
)

// Connecting decides on a transparent connection before the command has made it, so
// that connect(2) can say what came of it: nil, a *Denial, which was reported, or why
// the connection could not be made. With wait the user is asked and the connection
// made, and the next that arrives for the same address is joined to it. Without, nobody
// is asked, and what only a connection shows is found out when it is there.
func (s *Server) Connecting(ctx context.Context, dest netip.AddrPort, by Process, wait bool) error {
	if dest.Addr().IsLoopback() {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	g, err := s.decide.admit(ctx, targetAt(dest), earlyDoor{askingDoor{func() question.Process { return by }}, wait})
	if err == nil && wait && !s.dials.exits.defersDial(g.target, viaTransparent) {
		err = s.prepare(ctx, dest, g)
	}
	switch denial, denied := errors.AsType[*Denial](err); {
	case err == errUndecided:
		return nil
	case denied:
		denial.PID, denial.Command = by.PID, by.Command
		s.record.report(denial, nil, viaTransparent)
	}
	if _, speaks := errors.AsType[*upstream.Refusal](err); speaks {
		return nil // an HTTP client is told what the proxy says
	}
	return err
}

// prepare dials for a connection that is about to come.
func (s *Server) prepare(ctx context.Context, dest netip.AddrPort, g grant) error {
	conn, err := s.dials.dial(ctx, g, viaTransparent)
	if err != nil {
		if ctx.Err() == nil {
			s.warnOfProxy(g.target, err)
		}
		if _, denied := errors.AsType[*Denial](err); !denied {
			s.record.allowed(g, viaTransparent, "", nil, err)
		}
		return err
	}
	g.passage = s.record.allowed(g, viaTransparent, "", conn, nil)
	s.ready.put(s.ctx, dest, g, conn)
	return nil
}

// earlyDoor is that of transparent connections that are not made yet.
type earlyDoor struct {
	askingDoor
	wait bool
}

// errUndecided: it takes a question, and who connects does not wait.
var errUndecided = errors.New("not decided yet")

func (e earlyDoor) silent(ctx context.Context, by *decider, to target) (grant, error) {
	if e.wait || !by.asker.Asks() {
		return e.askingDoor.silent(ctx, by, to)
	}
	if by.inside.has(to) || by.customProxyDecides() {
		return grant{target: to}, nil
	}
	if err := by.neverAsked(to); err != nil {
		return grant{}, err
	}
	return grant{}, errUndecided
}

// mostReady bounds the connections that wait for the command's.
const mostReady = 256

// claimTime is for a connection to arrive that was dialled for: the command connects
// at once, or is gone.
const claimTime = 5 * time.Second

// ready are connections to servers that wait for the command's to arrive.
type ready struct {
	mu      sync.Mutex
	waiting map[netip.AddrPort][]*prepared
	count   int
}

type prepared struct {
	grant grant
	conn  net.Conn
	stop  func() bool // with the server
	timer *time.Timer
}

func (r *ready) put(server context.Context, dest netip.AddrPort, g grant, conn net.Conn) {
	p, dest := &prepared{grant: g, conn: conn}, unmapped(dest)
	drop := func() {
		if r.remove(dest, p) {
			conn.Close()
			g.passage.End(0, 0)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count >= mostReady { // the one that comes is dialled for then
		conn.Close()
		g.passage.End(0, 0)
		return
	}
	if r.waiting == nil {
		r.waiting = map[netip.AddrPort][]*prepared{}
	}
	r.waiting[dest] = append(r.waiting[dest], p)
	r.count++
	p.timer = time.AfterFunc(claimTime, drop)
	p.stop = context.AfterFunc(server, drop)
}

// unmapped is an address as both sides know it: a socket of IPv6 may have it mapped.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// take returns the connection that has waited longest.
func (r *ready) take(dest netip.AddrPort) (grant, net.Conn, bool) {
	dest = unmapped(dest)
	r.mu.Lock()
	all := r.waiting[dest]
	r.mu.Unlock()
	for _, p := range all {
		if r.remove(dest, p) {
			p.timer.Stop()
			p.stop()
			return p.grant, p.conn, true
		}
	}
	return grant{}, nil, false
}

// remove reports whether it was still there.
func (r *ready) remove(dest netip.AddrPort, p *prepared) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, other := range r.waiting[dest] {
		if other != p {
			continue
		}
		r.count--
		if left := r.waiting[dest]; len(left) == 1 {
			delete(r.waiting, dest)
		} else {
			r.waiting[dest] = append(left[:i:i], left[i+1:]...)
		}
		return true
	}
	return false
}
