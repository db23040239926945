package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/relay"
	"srun/proxy/internal/tlshello"
)

// tunnel is a client joined to a server: two directions, each a goroutine in
// the end. The goroutine that set it up checks the client's first bytes while
// the server's flow already, for in ssh, mysql and smtp the server speaks
// first.
type tunnel struct {
	c          *session
	g          grant
	upstream   net.Conn
	terminated *termination // the TLS connection that this is the inside of; nil for none
	begun      []byte       // of the first request's line, what went to upstream before it was known for one

	clear    func()        // says that it is clear whether the client speaks HTTP/2; any number of times
	cleared  chan struct{} // closed by clear
	settings []byte        // that a server of HTTP/2 began with; kept for who speaks it with the client

	up, down atomic.Int64 // bytes to the server and to the client
	running  atomic.Int32 // directions; prereading is the up direction
	pausing  atomic.Bool
	answered chan struct{} // closed when the server's first bytes are known
	retry    bool          // they are a HelloRetryRequest; set before answered closes
	downDone chan struct{}
	clean    bool // down was paused before it copied anything; set before downDone closes
}

// tunnel joins the session to upstream and returns when the client's first
// bytes have been checked. preread is what the client sent already.
func (c *session) tunnel(g grant, upstream net.Conn, preread []byte) {
	c.handed = true
	t := &tunnel{c: c, g: g, upstream: upstream}
	t.opens()
	t.running.Store(2)
	go t.copyDown(t.prereadDown)
	if err := t.check(preread); err != nil {
		t.abort()
		t.leave()
	}
}

// opens makes ready for the first bytes of both sides.
func (t *tunnel) opens() {
	t.cleared, t.answered, t.downDone = make(chan struct{}), make(chan struct{}), make(chan struct{})
	t.clear = sync.OnceFunc(func() { close(t.cleared) })
}

// join makes a tunnel of connections that need no check any more: they carried
// an HTTP exchange that upgraded to another protocol. t is the tunnel that it
// was inside of, nil for none.
func (c *session) join(t *tunnel, g grant, upstream net.Conn, preread []byte) {
	if t == nil {
		t = &tunnel{c: c, g: g, upstream: upstream}
		c.handed = true
	}
	t.pausing.Store(false)
	t.downDone = make(chan struct{})
	t.running.Add(2)
	go t.copyDown(func() error { return nil })
	if err := t.send(preread); err != nil {
		t.abort()
	}
	go t.copyUp()
}

// joined is join for what was in no tunnel.
func (c *session) joined(g grant, upstream net.Conn, preread []byte) {
	c.join(nil, g, upstream, preread)
}

// check prereads the client's bytes, and starts the up direction when they
// pass. An error means that the tunnel is over.
func (t *tunnel) check(preread []byte) error {
	preread, kind, err := t.preread(preread)
	// To an address or localhost HTTP/2 passes as it is: no name can be fronted there.
	http2 := kind == http1.HTTP && bytes.HasPrefix(preread, http1.HTTP2Preface)
	if http2 && t.g.target.literal() && !t.ruled() {
		http2, kind, preread = false, http1.Opaque, preread[len(t.begun):]
	}
	t.pausing.Store(http2)
	t.clear()
	switch {
	case err != nil:
		return err
	case http2:
		return t.serveHTTP2(preread)
	case kind == http1.TLS:
		return t.serveTLS(preread)
	case kind == http1.HTTP:
		return t.serveHTTP(preread)
	case len(preread) > 0 && t.ruled():
		return t.notHTTP()
	}
	if err := t.send(preread); err != nil {
		return err
	}
	go t.copyUp()
	return nil
}

// serveTLS checks the hello, and a second one where there is one, or terminates
// the connection.
func (t *tunnel) serveTLS(preread []byte) error {
	h, read, err := t.checkTLS(preread)
	if err != nil {
		return err
	}
	site := t.site(h)
	switch {
	case t.terminated == nil && !t.g.inside && t.c.tls.terminates(t.g.target, site):
		return t.terminate(h, site, read)
	case t.c.requests.ruled(t.g.target, site):
		return t.denyAs(CodeMethodPolicy, "network.rules speak of it, and tlsTerminate does not open its TLS")
	}
	end := tlshello.End(read)
	if err := t.send(read[:end]); err != nil {
		return err
	}
	if err := t.checkRetry(read[end:]); err != nil {
		return err
	}
	go t.copyUp()
	return nil
}

// send writes bytes that were held back.
func (t *tunnel) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := t.upstream.Write(b)
	t.up.Add(int64(n))
	return err
}

func (t *tunnel) copyUp() {
	t.settle(t.upstream, relay.Copy(t.upstream, t.c.conn, &t.up))
	if t.c.via != viaPublish {
		t.c.AllSent(t.upstream, t.c.conn)
	}
	t.leave()
}

// copyDown copies from the server; begin deals with what comes first.
func (t *tunnel) copyDown(begin func() error) {
	err := begin()
	switch err {
	case nil:
		err = relay.Copy(t.c.conn, t.upstream, &t.down)
	case io.EOF:
		err = nil
	}
	if t.pausing.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		t.clean = t.down.Load() == 0
	} else {
		t.settle(t.c.conn, err)
		if t.c.via == viaPublish { // the command is the server
			t.c.AllSent(t.upstream, t.c.conn)
		}
	}
	close(t.downDone)
	t.leave()
}

// settle passes on how a direction ended: an orderly end closes the other
// side's writing half, anything else resets both.
func (t *tunnel) settle(dst net.Conn, err error) {
	if err == nil {
		err = closeWrite(dst)
	}
	if err != nil {
		t.abort()
	}
}

// abort resets both sides; the directions that run notice.
func (t *tunnel) abort() {
	reset(t.c.conn)
	reset(t.upstream)
}

// leave ends the tunnel with its last direction.
func (t *tunnel) leave() {
	if t.running.Add(-1) == 0 {
		t.upstream.Close()
		t.g.passage.End(t.up.Load(), t.down.Load())
		t.c.End()
	}
}

// pauseDown stops the direction from the server and reports whether it had
// copied nothing and can go on in another way.
func (t *tunnel) pauseDown() bool {
	t.pausing.Store(true)
	t.upstream.SetReadDeadline(time.Unix(1, 0))
	<-t.downDone
	t.upstream.SetReadDeadline(time.Time{})
	return t.clean
}

// checkTLS reads the ClientHello and holds its server name against the name
// that was allowed. It returns the bytes read, to be sent on.
func (t *tunnel) checkTLS(preread []byte) (tlshello.Hello, []byte, error) {
	h, read, err := tlshello.Peek(t.c.conn, preread)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return h, nil, err // the client went away: nothing was refused
	case err != nil:
		return h, nil, t.deny(err)
	}
	d := t.c.names.checkHello(t.g, h)
	if d == nil {
		if h.Encrypted {
			t.g.passage.Note("the server name is encrypted (ECH); outer name " + oneline.Quote(h.ServerName))
		} else if h.ServerName == "" {
			t.g.passage.Note("TLS without a server name")
		}
		return h, read, nil
	}
	t.c.record.report(d, t.c.conn, t.c.via)
	if t.c.via != viaTransparent {
		t.c.conn.Write(tlshello.UnrecognizedName)
		drain(t.c.conn)
	}
	return h, nil, d
}

// serveHTTP handles plain HTTP inside the tunnel request by request, for each
// may name another host.
func (t *tunnel) serveHTTP(preread []byte) error {
	if !t.pauseDown() {
		return t.uncheckable()
	}
	t.serveRequests(preread)
	return nil
}

// serveRequests is the last of a tunnel, but for an upgrade.
func (t *tunnel) serveRequests(preread []byte) {
	h := &httpConn{origin: &origin{client: newClient(t.c, preread)}, only: &t.g}
	h.guessed = t.terminated == nil || t.terminated.protocol != alpnHTTP1
	h.inside = &inside{term: t.terminated, upstream: &t.upstream, up: &t.up, down: &t.down}
	h.upgraded = func(g grant, server net.Conn, read []byte) { t.c.join(t, g, server, read) }
	if t.terminated == nil || t.terminated.err == nil {
		h.server = newServerConn(t.upstream, t.g.target)
		h.server.bw.Reset(&begunConn{t.upstream, t.begun})
	}
	h.serve()
	t.leave()
}
