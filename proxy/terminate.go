package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"

	"srun/policy"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/tlshello"
)

// The protocols of ALPN that the proxy speaks itself.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
)

// termination is a TLS connection that the proxy terminated. Both sides speak the
// same protocol: the one that the server chose of those that the client offered.
type termination struct {
	t     *tunnel // the connection around it, which is over when this is
	site  target  // what the TLS connection is for: the server name, or else the target
	named bool    // by a server name: requests must be for it, whatever the target is

	protocol string
	server   *secureConn // to the server, from the start; nil with err
	err      error       // why the server could not be reached securely
}

// site is the host that a TLS connection is for.
func (t *tunnel) site(h tlshello.Hello) target {
	if name, err := policy.ParseHost(h.ServerName); err == nil {
		return targetOf(policy.HostPort{Host: name, Port: t.g.target.Port})
	}
	return t.g.target
}

// terminates reports whether TLS to a site is terminated, on a connection to
// target.
func (s *Server) terminates(to, site target) bool {
	if s.cfg.TLS == nil {
		return false
	}
	excluded := func(to target) bool {
		return s.cfg.TLS.Exclude != nil && s.cfg.TLS.Exclude.Decide(to.HostPort).Verdict == policy.Allowed
	}
	return !excluded(site) && !excluded(to)
}

// terminate takes over the TLS connection whose hello was read. With nil the
// tunnel is over or goes on in another; an error is for the caller to end it.
func (t *tunnel) terminate(h tlshello.Hello, site target, read []byte) error {
	if !t.pauseDown() {
		return t.uncheckable()
	}
	term := &termination{t: t, site: site, named: h.ServerName != ""}
	offered := spoken(h.Protocols)
	term.server, term.err = term.secure(t.upstream, offered)
	if term.err == nil {
		term.protocol = term.server.ConnectionState().NegotiatedProtocol
		offered = nil
		if term.protocol != "" {
			offered = []string{term.protocol}
		}
	} else {
		t.g.passage.note(oneline.Printable(term.err.Error()))
	}
	client, err := term.accept(read, offered)
	if err != nil {
		t.g.passage.note("TLS with the client: " + oneline.Printable(err.Error()))
		if isAlert(err) {
			t.c.s.warnOnce(fmt.Sprintf("%s: the client does not take the certificate of tlsTerminate (%s); excludeDomains would leave its TLS closed",
				site, oneline.Printable(err.Error())))
		}
		return err
	}
	return term.serve(client)
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
func (term *termination) secure(conn net.Conn, protocols []string) (*secureConn, error) {
	defer term.t.c.reach()()
	s := term.t.c.s
	cfg := &tls.Config{ServerName: term.site.Host.String(), NextProtos: protocols}
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
		return nil, fmt.Errorf("TLS to %s: %w", term.site, err)
	}
	return c, nil
}

// accept finishes the client's handshake.
func (term *termination) accept(read []byte, protocols []string) (*secureConn, error) {
	defer term.t.c.reach()()
	s, conn := term.t.c.s, term.t.c.conn
	leaf, err := s.cfg.TLS.Authority.Leaf(term.names()...)
	if err != nil {
		return nil, err
	}
	raw := &watchedConn{
		Conn: &prereadConn{Conn: conn, r: prereadReader{preread: read, conn: conn}},
		read: &term.t.up, written: &term.t.down, closed: make(chan struct{}),
	}
	c := &secureConn{raw: raw, Conn: tls.Server(raw, &tls.Config{
		Certificates: []tls.Certificate{*leaf}, NextProtos: protocols, SessionTicketsDisabled: true,
	})}
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if term.err != nil {
		term.protocol = c.ConnectionState().NegotiatedProtocol
	}
	return c, nil
}

// names are those that the client's certificate is for.
func (term *termination) names() []string {
	if term.site.kind == theHost {
		return []string{policy.Localhost.String(), loopback4.String(), loopback6.String()}
	}
	return []string{term.site.Host.String()}
}

// serve speaks what was agreed on. What may be no HTTP goes on as a tunnel of
// its own, whose first bytes are looked at as those of any other.
func (term *termination) serve(client *secureConn) error {
	if term.protocol == alpnHTTP2 {
		term.serveHTTP2(client)
		term.t.leave()
		return nil
	}
	inner := &tunnel{
		c: &session{s: term.t.c.s, conn: client, via: term.t.c.via, outer: term.t.c, handed: true},
		g: term.t.g, upstream: term.t.upstream, terminated: term,
		answered: make(chan struct{}), downDone: make(chan struct{}),
	}
	if term.err == nil {
		inner.upstream = term.server
	}
	if term.err != nil || term.protocol == alpnHTTP1 {
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
func (term *termination) redial() (*secureConn, error) {
	if term.err != nil {
		return nil, term.err
	}
	ctx, cancel := context.WithTimeout(term.t.c.s.ctx, dialTimeout)
	defer cancel()
	conn, err := term.t.c.s.dial(ctx, term.t.g, term.t.c.via)
	if err != nil {
		return nil, err
	}
	var protocols []string
	if term.protocol != "" {
		protocols = []string{term.protocol}
	}
	c, err := term.secure(conn, protocols)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if got := c.ConnectionState().NegotiatedProtocol; got != term.protocol {
		reset(c)
		return nil, fmt.Errorf("TLS to %s: the server speaks %q now, not %q", term.site, got, term.protocol)
	}
	return c, nil
}

// checkHost holds the host that a request names against the one that the
// connection is for.
func (term *termination) checkHost(what, raw string) *Denial {
	g := term.t.g
	named, err := parseAuthority(raw, term.site.Port)
	switch {
	case err != nil:
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	case named == term.site:
		return nil
	case !term.named && g.target.literal():
		return term.t.c.s.checkAuthority(g, what, named)
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		fmt.Sprintf("%s %s, on a connection that is for %s", what, named, term.site))
}

// hosts are those that rules may speak of in a request that names raw.
func (term *termination) hosts(raw string) []target {
	hosts := []target{term.t.g.target, term.site}
	if named, err := parseAuthority(raw, term.site.Port); err == nil {
		hosts = append(hosts, named)
	}
	return hosts
}
