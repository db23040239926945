package proxy

import (
	"bytes"
	"errors"
	"os"

	"srun/proxy/internal/http1"
)

// HTTP/2 in the clear, begun with prior knowledge (RFC 9113 section 3.3). Its client
// opens with a preface, but the server may be first with its SETTINGS, as those of
// grpc-go and Netty are. They are held until the client has begun: to a request-wise
// proxy they are its own, not the client's.

// prefaced reports that what a client began with is HTTP/2's preface, or may become it.
func prefaced(read []byte) bool {
	n := min(len(read), len(http1.HTTP2Preface))
	return n > 0 && bytes.Equal(read[:n], http1.HTTP2Preface[:n])
}

// opensHTTP2 reports that b begins with an HTTP/2 frame as a server's first has to be:
// SETTINGS, whole settings of six bytes, no acknowledgement, on stream 0.
func opensHTTP2(b []byte) bool {
	const header = 9
	if len(b) < header {
		return false
	}
	length := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	return length%6 == 0 && length <= 16<<10 && bytes.Equal(b[3:header], []byte{4, 0, 0, 0, 0, 0})
}

// holdSettings keeps a server's first bytes back, until the client has begun, when
// they open HTTP/2. The error ends the direction: the client speaks HTTP/2, and the
// bytes are in t.settings.
func (t *tunnel) holdSettings(first []byte) error {
	if !opensHTTP2(first) {
		return nil
	}
	select {
	case <-t.cleared:
	case <-t.c.ctx.Done():
		return t.c.ctx.Err()
	}
	if t.pausing.Load() {
		t.settings = first
		return os.ErrDeadlineExceeded
	}
	return nil
}

// serveHTTP2 handles HTTP/2 in the clear, request by request.
func (t *tunnel) serveHTTP2(preread []byte) error {
	if !t.pauseDown() {
		return t.uncheckable()
	}
	if t.terminated != nil {
		return t.deny(errors.New("HTTP/2 inside TLS that did not agree on it, whose hosts cannot be checked"))
	}
	t.up.Add(-int64(len(t.begun))) // counted once more below
	client := &watchedConn{
		Conn: &prereadConn{Conn: t.c.conn, r: prereadReader{preread: preread, conn: t.c.conn}},
		read: &t.up, written: &t.down, closed: make(chan struct{}),
	}
	server := &begunConn{withPreread(t.upstream, t.settings), t.begun}
	(&http2Conn{c: t.c, g: t.g, first: server}).serve(client, client.closed)
	t.leave()
	return nil
}
