package proxy

import (
	"fmt"

	"srun/policy"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/tlshello"
)

// site is the host that a TLS connection is for.
func (t *tunnel) site(h tlshello.Hello) target {
	if name, err := policy.ParseHost(h.ServerName); err == nil {
		return targetOf(policy.HostPort{Host: name, Port: t.g.target.Port})
	}
	return t.g.target
}

// terminate takes over the TLS connection whose hello was read. With nil the
// tunnel is over or goes on in another; an error is for the caller to end it.
func (t *tunnel) terminate(h tlshello.Hello, site target, read []byte) error {
	if !t.pauseDown() {
		return t.uncheckable()
	}
	term := &termination{c: t.c, g: t.g, site: site, named: h.ServerName != ""}
	offered := spoken(h.Protocols)
	term.server, term.err = term.secure(t.upstream, offered)
	if term.err == nil {
		term.protocol = term.server.ConnectionState().NegotiatedProtocol
		offered = nil
		if term.protocol != "" {
			offered = []string{term.protocol}
		}
	} else {
		t.g.passage.Note(oneline.Printable(term.err.Error()))
	}
	client, err := term.accept(read, offered, &t.up, &t.down)
	if err != nil {
		t.g.passage.Note("TLS with the client: " + oneline.Printable(err.Error()))
		if isAlert(err) {
			t.c.warned.once(fmt.Sprintf("%s: the client does not take the certificate of tlsTerminate (%s); excludeDomains would leave its TLS closed",
				site, oneline.Printable(err.Error())))
		}
		return err
	}
	return t.serveTerminated(term, client)
}

// serveTerminated speaks what was agreed on. What may be no HTTP goes on as a tunnel of
// its own, whose first bytes are looked at as those of any other.
func (t *tunnel) serveTerminated(term *termination, client *secureConn) error {
	if term.protocol == alpnHTTP2 {
		t.c.serveHTTP2(term, client)
		t.leave()
		return nil
	}
	inner := &tunnel{c: t.c.inner(client), g: t.g, upstream: t.upstream, terminated: term}
	inner.opens()
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
