package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
)

// answer passes a response on and reports whether the client's connection can
// take another request.
func (x *exchange) answer(resp *http.Response) bool {
	x.answered = true
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.switchProtocols(resp)
		return false
	}
	framing := x.framing(resp)
	keep := framing != toClose && x.req.KeepsAlive() && !(x.inside != nil && resp.Close)
	if x.body != nil && !x.body.finished() && x.req.Fields.Lists("Expect", "100-continue") {
		keep = false // the client may or may not send its body now
	}
	x.writeHead(resp, framing, keep)
	err := x.copyBody(resp, framing)
	whole := x.awaitBody()
	if err != nil || !whole {
		x.sc.conn.Close()
		if err != nil {
			reset(x.c.conn) // so that a body cut short does not pass for whole
		} else {
			drain(x.c.conn)
		}
		return false
	}
	if resp.Close || framing == toClose {
		x.sc.conn.Close()
	} else {
		x.server = x.sc
	}
	return keep
}

// awaitBody reports whether the request's body went out whole. Its last bytes
// may still be under way; a server that answered and reads no further is not
// waited for.
func (x *exchange) awaitBody() bool {
	if x.body == nil || x.body.finished() {
		return true
	}
	grace := time.NewTimer(bodyGrace)
	defer grace.Stop()
	select {
	case <-x.body.done:
	case <-grace.C:
	}
	return x.body.finished()
}

// framing is how a response's body is marked off for the client.
type framing int

const (
	noBody  framing = iota // by the status or method
	sized                  // Content-Length
	chunked                // Transfer-Encoding
	toClose                // the connection's end, for HTTP/1.0
)

func (x *exchange) framing(resp *http.Response) framing {
	switch {
	case x.req.Method == http.MethodHead, resp.StatusCode == http.StatusNoContent, resp.StatusCode == http.StatusNotModified:
		return noBody
	case resp.ContentLength >= 0:
		return sized
	case x.req.Minor == 1:
		return chunked
	}
	return toClose
}

// writeHead writes the response's head into the buffer.
func (x *exchange) writeHead(resp *http.Response, f framing, keep bool) {
	bw := x.bw
	http1.WriteStatus(bw, resp.StatusCode, http1.ReasonPhrase(resp))
	writeHeader(bw, resp.Header)
	length := resp.Header.Get("Content-Length")
	switch {
	case f == chunked:
		http1.WriteField(bw, "Transfer-Encoding", "chunked")
	case f == sized:
		http1.WriteField(bw, "Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	case f == noBody && length != "" && resp.StatusCode != http.StatusNoContent:
		http1.WriteField(bw, "Content-Length", http1.OneLine(length)) // of the body that a GET would get
	}
	if !keep {
		http1.WriteField(bw, "Connection", "close")
	} else if x.req.Minor == 0 {
		http1.WriteField(bw, "Connection", "keep-alive")
	}
	bw.WriteString("\r\n")
}

// copyBody sends the head and the body. The head goes out at once, unless the
// whole body will fit one write with it.
func (x *exchange) copyBody(resp *http.Response, f framing) error {
	bw := x.bw
	if f == noBody || f == sized && resp.ContentLength == 0 {
		return bw.Flush()
	}
	if f != sized || resp.ContentLength > relay.BigBuffer {
		if err := bw.Flush(); err != nil {
			return err
		}
	}
	var w io.Writer = bw
	if f == chunked {
		w = http1.NewChunkWriter(bw)
	}
	if err := copyFlushing(bw, resp.Body, resp.ContentLength, w, &x.down); err != nil || f != chunked {
		return err
	}
	http1.EndChunks(bw, forClient(resp.Trailer))
	return bw.Flush()
}

// switchProtocols hands both connections to a tunnel: what comes now is no HTTP.
func (x *exchange) switchProtocols(resp *http.Response) {
	asked, got := x.req.Fields.Upgrade(), http1.FromHeader(resp.Header).Upgrade()
	if asked == "" || got == "" {
		x.sc.conn.Close()
		reset(x.c.conn)
		return
	}
	bw := x.bw
	http1.WriteStatus(bw, resp.StatusCode, "")
	writeHeader(bw, resp.Header)
	http1.WriteField(bw, "Connection", "Upgrade")
	http1.WriteField(bw, "Upgrade", got)
	bw.WriteString("\r\n")
	if b, _ := x.sc.br.Peek(x.sc.br.Buffered()); len(b) > 0 {
		bw.Write(b)
	}
	if bw.Flush() != nil {
		x.sc.conn.Close()
		return
	}
	x.switched = true
	x.upgraded(x.g, x.sc.conn, x.unread())
}
