package proxy

import (
	"bufio"
	"errors"
	"io"
	"net/http/httputil"
	"strconv"
	"sync/atomic"

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
	sc, br := x.sc, x.h.br
	go func() {
		defer close(b.done)
		if n := x.req.length; n < 0 {
			b.err = copyChunked(sc.bw, br, &x.up)
		} else {
			b.err = copyFlushing(sc.bw, io.LimitReader(br, n), n, sc.bw, &x.up)
		}
		if _, ok := errors.AsType[*sendError](b.err); b.err != nil && !ok {
			sc.conn.Close()
		}
		x.h.c.allSent(sc.conn, x.h.c.conn)
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
	return bad("the request body: %v", b.err)
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
	if err := copyFlushing(bw, httputil.NewChunkedReader(br), -1, chunkWriter{bw}, count); err != nil {
		return err
	}
	trailers, err := readTrailers(br)
	if err != nil {
		return err
	}
	bw.WriteString("0\r\n")
	trailers.write(bw)
	bw.WriteString("\r\n")
	if err := bw.Flush(); err != nil {
		return &sendError{err}
	}
	return nil
}

// readTrailers reads the fields behind the last chunk. Those that could pass
// for a head's are dropped, RFC 9110 section 6.5.1.
func readTrailers(br *bufio.Reader) (fields, error) {
	left := maxHead
	h := &head{}
	for {
		line, err := readLine(br, &left)
		switch {
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case line == "":
			return h.fields.endToEnd(), nil
		}
		if err := h.parseField(line); err != nil {
			return nil, err
		}
	}
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

// chunkWriter writes each piece as a chunk.
type chunkWriter struct{ bw *bufio.Writer }

func (w chunkWriter) Write(b []byte) (int, error) {
	w.bw.WriteString(strconv.FormatInt(int64(len(b)), 16))
	w.bw.WriteString("\r\n")
	w.bw.Write(b)
	_, err := w.bw.WriteString("\r\n")
	return len(b), err
}
