package proxy

import (
	"bufio"
	"errors"
	"io"
	"net/http/httputil"
	"sync/atomic"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
)

// bodyCopy is a request's body on its way to the server.
type bodyCopy struct {
	done chan struct{}
	err  error // set before done closes; nil when the whole body went out
}

// startBody copies the body of a request from the client, framed anew. When
// the client fails to send it, the server's connection is closed: no response
// will come of half a request.
func (x *exchange) startBody() *bodyCopy {
	b := &bodyCopy{done: make(chan struct{})}
	sc, br := x.sc, x.br
	go func() {
		defer close(b.done)
		if n := x.req.Length; n < 0 {
			b.err = copyChunked(sc.bw, br, &x.up)
		} else {
			b.err = copyFlushing(sc.bw, io.LimitReader(br, n), n, sc.bw, &x.up)
		}
		if _, ok := errors.AsType[*sendError](b.err); b.err != nil && !ok {
			sc.conn.Close()
		}
		x.c.AllSent(sc.conn, x.c.conn)
	}()
	return b
}

// reason is why an exchange failed: the client's body, when that was it.
func (b *bodyCopy) reason(err error) error {
	select {
	case <-b.done:
	default:
		return err
	}
	if _, ok := errors.AsType[*sendError](b.err); b.err == nil || ok {
		return err
	}
	return http1.Bad("the request body: %v", b.err)
}

// sendError is a failure of the side that is written to.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

// finished reports that a body, if there was one, went out whole.
func (b *bodyCopy) finished() bool {
	if b == nil {
		return true
	}
	select {
	case <-b.done:
		return b.err == nil
	default:
		return false
	}
}

// copyChunked copies a chunked body with its trailers. The chunks are read and
// written anew, so that no oddity of their framing reaches the server.
func copyChunked(bw *bufio.Writer, br *bufio.Reader, count *atomic.Int64) error {
	if err := copyFlushing(bw, httputil.NewChunkedReader(br), -1, http1.NewChunkWriter(bw), count); err != nil {
		return err
	}
	trailers, err := http1.ReadTrailers(br)
	if err != nil {
		return err
	}
	http1.EndChunks(bw, trailers)
	if err := bw.Flush(); err != nil {
		return &sendError{err}
	}
	return nil
}

// copyFlushing copies as bytes come to w, which writes to bw, and lets none
// wait in bw's buffer. want is how many there must be, -1 when the reader knows.
func copyFlushing(bw *bufio.Writer, r io.Reader, want int64, w io.Writer, count *atomic.Int64) error {
	buf := relay.GetBuffer()
	defer relay.PutBuffer(buf)
	for {
		n, err := r.Read(*buf)
		if n > 0 {
			if _, werr := w.Write((*buf)[:n]); werr != nil {
				return &sendError{werr}
			}
			if werr := bw.Flush(); werr != nil {
				return &sendError{werr}
			}
			want -= int64(n)
			count.Add(int64(n))
		}
		switch {
		case err == io.EOF && want > 0:
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
