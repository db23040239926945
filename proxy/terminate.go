package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"srun/policy"
)

// The protocols of ALPN that the proxy speaks itself.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
)

// termination is a TLS connection that the proxy terminates. Both sides speak the
// same protocol: the one that the server chose of those that the client offered.
type termination struct {
	c     *session // the connection around it
	g     grant
	site  target // what the TLS connection is for: the server name, or else the target
	named bool   // by a server name: requests must be for it, whatever the target is

	protocol string
	server   *secureConn // to the server, from the start; nil with err
	err      error       // why the server could not be reached securely
}

// terminates reports whether TLS to a site is terminated, on a connection to
// target.
func (t *TLS) terminates(to, site target) bool {
	if t == nil {
		return false
	}
	excluded := func(to target) bool {
		return t.Exclude != nil && t.Exclude.Decide(to.HostPort).Verdict == policy.Allowed
	}
	return !excluded(site) && !excluded(to)
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
	defer term.c.Reach()()
	cfg := &tls.Config{ServerName: term.site.Host.String(), NextProtos: protocols}
	if term.c.tls.Roots != nil {
		var err error
		if cfg.RootCAs, err = term.c.tls.Roots(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(term.c.ctx, dialTimeout)
	defer cancel()
	c := &secureConn{Conn: tls.Client(conn, cfg), raw: conn}
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS to %s: %w", term.site, err)
	}
	return c, nil
}

// accept finishes the client's handshake, of which read was read. What passes is
// counted.
func (term *termination) accept(read []byte, protocols []string, up, down *atomic.Int64) (*secureConn, error) {
	defer term.c.Reach()()
	leaf, err := term.c.tls.Authority.Leaf(term.names()...)
	if err != nil {
		return nil, err
	}
	raw := &watchedConn{
		Conn: &prereadConn{Conn: term.c.conn, r: prereadReader{preread: read, conn: term.c.conn}},
		read: up, written: down, closed: make(chan struct{}),
	}
	c := &secureConn{raw: raw, Conn: tls.Server(raw, &tls.Config{
		Certificates: []tls.Certificate{*leaf}, NextProtos: protocols, SessionTicketsDisabled: true,
	})}
	ctx, cancel := context.WithTimeout(term.c.ctx, dialTimeout)
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

// redial opens another connection to the server: it closed the one before, or
// takes no more requests on it.
func (term *termination) redial() (*secureConn, error) {
	if term.err != nil {
		return nil, term.err
	}
	ctx, cancel := context.WithTimeout(term.c.ctx, dialTimeout)
	defer cancel()
	conn, err := term.c.dials.dial(ctx, term.g, term.c.via)
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
	g := term.g
	named, err := parseAuthority(raw, term.site.Port)
	switch {
	case err != nil:
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	case named == term.site:
		return nil
	case !term.named && g.target.literal():
		return term.c.names.checkAuthority(g, what, named)
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		fmt.Sprintf("%s %s, on a connection that is for %s", what, named, term.site))
}

// hosts are those that rules may speak of in a request that names raw.
func (term *termination) hosts(raw string) []target {
	hosts := []target{term.g.target, term.site}
	if named, err := parseAuthority(raw, term.site.Port); err == nil {
		hosts = append(hosts, named)
	}
	return hosts
}

// status is the HTTP status of a denial inside: 421 for another host, so that
// a client opens a connection for it (RFC 9110 section 15.5.20).
func (term *termination) status(d *Denial) int {
	if d.Code == CodeSNIMismatch {
		return http.StatusMisdirectedRequest
	}
	return d.status()
}
