package stub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Timeout bounds one question, on all servers together.
const Timeout = 5 * time.Second

// mostAsked bounds the questions that are under way at once. One more fails.
const mostAsked = 64

// rounds is how often each server is asked.
const rounds = 2

// ErrBusy says that too many questions are under way.
var ErrBusy = errors.New("too many questions at once")

// Resolver asks name servers. Any goroutine may use it.
type Resolver struct {
	servers func() ([]netip.AddrPort, error)
	places  chan struct{}
}

// New returns a resolver that asks the servers of that list, which is made for each
// question; nil is the host's, of /etc/resolv.conf.
func New(servers func() ([]netip.AddrPort, error)) *Resolver {
	if servers == nil {
		servers = hostServers
	}
	return &Resolver{servers: servers, places: make(chan struct{}, mostAsked)}
}

// Reply is what a name server answered.
type Reply struct {
	RCode   dnsmessage.RCode
	Answers []dnsmessage.Resource // of the answer section; the others are dropped
}

// Ask returns the answer of the first server that knows one, be it that the name does
// not exist. name is without its final dot.
func (r *Resolver) Ask(ctx context.Context, name string, kind dnsmessage.Type) (Reply, error) {
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		return Reply{}, ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	qname, err := dnsmessage.NewName(strings.ToLower(name) + ".")
	if err != nil {
		return Reply{}, err
	}
	servers, err := r.servers()
	if err != nil {
		return Reply{}, err
	}
	q := dnsmessage.Question{Name: qname, Type: kind, Class: dnsmessage.ClassINET}
	return askAll(ctx, servers, q)
}

// askAll asks one server after the other, as long as they fail or do not know.
func askAll(ctx context.Context, servers []netip.AddrPort, q dnsmessage.Question) (Reply, error) {
	err := errors.New("no name server")
	for i := range rounds * len(servers) {
		server := servers[i%len(servers)]
		var reply Reply
		if reply, err = askOne(ctx, server, q, Timeout/time.Duration(rounds*len(servers))); err == nil {
			switch reply.RCode {
			case dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError:
				return reply, nil
			}
			err = fmt.Errorf("name server %s: %s", server.Addr(), strings.TrimPrefix(reply.RCode.String(), "RCode"))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return Reply{}, err
}

// askOne asks over UDP for a share of the time, and over TCP for what is left of all.
func askOne(ctx context.Context, server netip.AddrPort, q dnsmessage.Question, share time.Duration) (Reply, error) {
	query, id, err := newQuery(q)
	if err != nil {
		return Reply{}, err
	}
	asked, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	conn, err := dial(asked, "udp", server)
	if err != nil {
		return Reply{}, err
	}
	reply, truncated, err := overUDP(conn, query, id, q)
	conn.Close()
	if err != nil || !truncated {
		return reply, err
	}
	if conn, err = dial(ctx, "tcp", server); err != nil {
		return Reply{}, err
	}
	defer conn.Close()
	return overTCP(conn, query, id, q)
}

// dial connects a socket that lives as long as ctx does.
func dial(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return conn, nil
}
