package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"

	"srun/policy"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/tlshello"
)

// TLS has the proxy open TLS connections: it is the server to the client, with
// a certificate of its own authority, and a client to the server, whose
// certificate it verifies. So it sees the requests inside.
type TLS struct {
	Authority *Authority

	// Exclude are hosts whose connections stay closed and are relayed; nil is
	// none.
	Exclude *policy.Domains

	// Roots verify servers' certificates; nil is the system's. It is called
	// for each connection.
	Roots func() (*x509.CertPool, error)
}

// The protocols of ALPN that the proxy speaks itself.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
)

// opened is a TLS connection that the proxy opened. Both sides speak the same
// protocol: the one that the server chose of those that the client offered.
type opened struct {
	t     *tunnel         // the connection around it, which is over when this is
	site  policy.HostPort // what the TLS connection is for: the server name, or else the target
	named bool            // by a server name: requests must be for it, whatever the target is

	protocol string
	first    *secureConn // to the server, from the start; nil with err
	err      error       // why the server could not be reached securely
}

// site is the host that a TLS connection is for.
func (t *tunnel) site(h tlshello.Hello) policy.HostPort {
	site := t.g.target
	if name, err := policy.ParseHost(h.ServerName); err == nil {
		site.Host = name
	}
	return site
}

// opens reports whether TLS to a site is opened, on a connection to target.
func (s *Server) opens(target, site policy.HostPort) bool {
	if s.cfg.TLS == nil {
		return false
	}
	excluded := func(hp policy.HostPort) bool {
		return s.cfg.TLS.Exclude != nil && s.cfg.TLS.Exclude.Decide(hp).Verdict == policy.Allowed
	}
	return !excluded(site) && !excluded(target)
}

// open opens the TLS connection whose hello was read. With nil the tunnel is
// over or goes on in another; an error is for the caller to end it.
func (t *tunnel) open(h tlshello.Hello, site policy.HostPort, read []byte) error {
	if !t.pauseDown() {
		return t.uncheckable()
	}
	o := &opened{t: t, site: site, named: h.ServerName != ""}
	offered := spoken(h.Protocols)
	o.first, o.err = o.secure(t.upstream, offered)
	if o.err == nil {
		o.protocol = o.first.ConnectionState().NegotiatedProtocol
		offered = nil
		if o.protocol != "" {
			offered = []string{o.protocol}
		}
	} else {
		t.g.passage.note(oneline.Printable(o.err.Error()))
	}
	client, err := o.accept(read, offered)
	if err != nil {
		t.g.passage.note("TLS with the client: " + oneline.Printable(err.Error()))
		if isAlert(err) {
			t.c.s.warnOnce(fmt.Sprintf("%s: the client does not take the certificate of tlsTerminate (%s); excludeDomains would leave its TLS closed",
				site, oneline.Printable(err.Error())))
		}
		return err
	}
	return o.serve(client)
}

// isAlert reports that a handshake ended by an alert. OpenSSL's of TLS 1.3 is
// not encrypted as it should be, and arrives as a record that does not verify.
func isAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && (e.Op == "remote error" || e.Op == "local error")
}

// spoken returns what the server is offered of a client's protocols: HTTP,
// where the client knows it, and else what it is.
func spoken(protocols []string) []string {
	var web []string
	for _, p := range protocols {
		if p == alpnHTTP2 || p == alpnHTTP1 {
			web = append(web, p)
		}
	}
	if len(web) > 0 {
		return web
	}
	return slices.Clone(protocols)
}

// secure makes a TLS connection of one to the server, and verifies it.
func (o *opened) secure(conn net.Conn, protocols []string) (*secureConn, error) {
	defer o.t.c.reach()()
	s := o.t.c.s
	cfg := &tls.Config{ServerName: o.site.Host.String(), NextProtos: protocols}
	if s.cfg.TLS.Roots != nil {
		var err error
		if cfg.RootCAs, err = s.cfg.TLS.Roots(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	c := &secureConn{Conn: tls.Client(conn, cfg), raw: conn}
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS to %s: %w", o.site, err)
	}
	return c, nil
}

// accept finishes the client's handshake.
func (o *opened) accept(read []byte, protocols []string) (*secureConn, error) {
	defer o.t.c.reach()()
	s, conn := o.t.c.s, o.t.c.conn
	leaf, err := s.cfg.TLS.Authority.Leaf(o.names()...)
	if err != nil {
		return nil, err
	}
	raw := &watchedConn{
		Conn: &earlyConn{Conn: conn, r: earlyReader{early: read, conn: conn}},
		read: &o.t.up, written: &o.t.down, closed: make(chan struct{}),
	}
	c := &secureConn{raw: raw, Conn: tls.Server(raw, &tls.Config{
		Certificates: []tls.Certificate{*leaf}, NextProtos: protocols, SessionTicketsDisabled: true,
	})}
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if o.err != nil {
		o.protocol = c.ConnectionState().NegotiatedProtocol
	}
	return c, nil
}

// names are those that the client's certificate is for.
func (o *opened) names() []string {
	if o.site.Host == localhost {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return []string{o.site.Host.String()}
}

// serve speaks what was agreed on. What may be no HTTP goes on as a tunnel of
// its own, whose first bytes are looked at as those of any other.
func (o *opened) serve(client *secureConn) error {
	if o.protocol == alpnHTTP2 {
		o.serveHTTP2(client)
		o.t.leave()
		return nil
	}
	inner := &tunnel{
		c: &session{s: o.t.c.s, conn: client, via: o.t.c.via, outer: o.t.c, handed: true},
		g: o.t.g, upstream: o.t.upstream, opened: o,
		answered: make(chan struct{}), downDone: make(chan struct{}),
	}
	if o.err == nil {
		inner.upstream = o.first
	}
	if o.err != nil || o.protocol == alpnHTTP1 {
		inner.running.Store(1)
		inner.serveRequests(nil)
		return nil
	}
	inner.running.Store(2)
	go inner.copyDown(inner.prereadDown)
	if err := inner.check(nil); err != nil {
		inner.abort()
		inner.leave()
	}
	return nil
}

// redial opens another connection to the server: it closed the one before, or
// takes no more requests on it.
func (o *opened) redial() (*secureConn, error) {
	if o.err != nil {
		return nil, o.err
	}
	ctx, cancel := context.WithTimeout(o.t.c.s.ctx, dialTimeout)
	defer cancel()
	conn, err := o.t.c.s.dial(ctx, o.t.g, o.t.c.via)
	if err != nil {
		return nil, err
	}
	var protocols []string
	if o.protocol != "" {
		protocols = []string{o.protocol}
	}
	c, err := o.secure(conn, protocols)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if got := c.ConnectionState().NegotiatedProtocol; got != o.protocol {
		reset(c)
		return nil, fmt.Errorf("TLS to %s: the server speaks %q now, not %q", o.site, got, o.protocol)
	}
	return c, nil
}

// checkHost holds the host that a request names against the one that the
// connection is for.
func (o *opened) checkHost(what, raw string) *Denial {
	g := o.t.g
	named, err := http1.ParseAuthority(raw, o.site.Port)
	switch {
	case err != nil:
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	case named == o.site:
		return nil
	case !o.named && g.literal():
		return o.t.c.s.checkAuthority(g, what, named)
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		fmt.Sprintf("%s %s, on a connection that is for %s", what, named, o.site))
}

// hosts are those that rules may speak of in a request that names raw.
func (o *opened) hosts(raw string) []policy.HostPort {
	hosts := []policy.HostPort{o.t.g.target, o.site}
	if named, err := http1.ParseAuthority(raw, o.site.Port); err == nil {
		hosts = append(hosts, named)
	}
	return hosts
}
