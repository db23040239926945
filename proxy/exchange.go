package proxy

import (
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"

	"srun/proxy/internal/audit"
	"srun/proxy/internal/http1"
)

// exchange is one request and its response.
type exchange struct {
	*origin
	req  *http1.Head
	g    grant
	path string
	sc   *serverConn

	answered bool      // something of a response went to the client
	sentBody bool      // the body was short and went out with the head
	switched bool      // a tunnel goes on with both connections
	body     *bodyCopy // the request's body under way, nil for none

	watched chan struct{} // closed when nobody looks for the client's end any more; nil for that too

	up, down atomic.Int64 // bytes of the two bodies
}

// run carries the exchange out and reports whether the client's connection can
// take another request.
func (x *exchange) run() bool {
	sc := x.take(x.g.target)
	reused := sc != nil && (sc.used || x.terminated() != nil)
	for {
		if sc == nil {
			if !x.redials() {
				return false // the tunnel's own connection has ended
			}
			var err error
			if sc, err = x.dial(x.g); err != nil {
				x.audit(err)
				return x.fail(x.req, err)
			}
		}
		x.sc = sc
		resp, err := x.roundTrip()
		if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
			x.unwatchDisconnect()
		}
		switch {
		case err == nil:
			x.g.passage = x.audit(nil)
			keep := x.answer(resp)
			x.unwatchDisconnect()
			x.close()
			return keep
		case reused && x.repeatable() && x.redials() && closedUnused(err):
			sc.conn.Close()
			sc, reused = nil, false
			continue
		}
		x.audit(err)
		return x.failed(err)
	}
}

// close logs the end, or adds to the tunnel's, whose end comes later.
func (x *exchange) close() {
	up, down := x.up.Load(), x.down.Load()
	if t := x.inside; t != nil {
		t.up.Add(up)
		t.down.Add(down)
	} else if !x.switched {
		x.g.passage.End(up, down)
	}
}

// audit logs the decision on the request, and its failure if it is one. Inside
// a tunnel the decision was on the tunnel.
func (x *exchange) audit(err error) audit.Passage {
	if _, denied := errors.AsType[*Denial](err); denied || x.inside != nil {
		return audit.Passage{}
	}
	var conn net.Conn
	if x.sc != nil {
		conn = x.sc.conn
	}
	return x.c.record.allowed(x.g, viaHTTP, x.req.Method, conn, err)
}

// repeatable reports that the request may be sent once more: nothing of a body
// went out, and doing it twice is doing it once (RFC 9110 section 9.2.2).
func (x *exchange) repeatable() bool {
	switch x.req.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return x.req.Length == 0 && !x.answered
	}
	return false
}

// closedUnused reports that a kept connection turned out to be closed.
func closedUnused(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// failed ends an exchange that got no response.
func (x *exchange) failed(err error) bool {
	x.sc.conn.Close()
	if x.body != nil {
		err = x.body.reason(err)
	}
	if x.answered || x.inside != nil {
		reset(x.c.conn) // as the server did
		return false
	}
	if errors.Is(err, io.EOF) {
		err = errNoResponse
	}
	x.fail(x.req, err)
	return false
}

var errNoResponse = errors.New("the server closed the connection without a response")

// roundTrip sends the request and reads the response's head. The body is sent
// at the same time: a server may answer before it is done.
func (x *exchange) roundTrip() (*http.Response, error) {
	x.sc.used = true
	if err := x.send(); err != nil {
		return nil, err
	}
	if x.req.Length < 0 || x.req.Length > 0 && !x.sentBody {
		x.body = x.startBody()
	} else {
		x.c.AllSent(x.sc.conn, x.c.conn)
	}
	x.watchDisconnect()
	for {
		x.sc.in.Left = http1.MaxResponseHead
		resp, err := http.ReadResponse(x.sc.br, &http.Request{Method: x.req.Method})
		x.sc.in.Left = math.MaxInt64
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
		if err := x.interim(resp); err != nil {
			return nil, err
		}
	}
}

// send writes the request's head. It is the client's, without what lies
// between the client and its proxy.
func (x *exchange) send() error {
	bw, req := x.sc.bw, x.req
	bw.WriteString(req.Method)
	bw.WriteByte(' ')
	if x.sc.proxy != nil {
		bw.WriteString("http://" + x.g.target.String())
	}
	if x.sc.proxy == nil || x.path != "*" {
		bw.WriteString(x.path)
	}
	bw.WriteString(" HTTP/1.1\r\n")
	if req.Hosts > 0 {
		http1.WriteField(bw, "Host", req.Host)
	} else {
		http1.WriteField(bw, "Host", hostField(x.g.target))
	}
	if x.sc.proxy != nil {
		x.sc.proxy.WriteAuth(bw)
	}
	req.Fields.EndToEnd().Write(bw)
	switch {
	case req.Length > 0 || req.SentLength:
		http1.WriteField(bw, "Content-Length", strconv.FormatInt(req.Length, 10))
	case req.Length < 0:
		http1.WriteField(bw, "Transfer-Encoding", "chunked")
	}
	if protocol := req.Fields.Upgrade(); protocol != "" {
		http1.WriteField(bw, "Connection", "Upgrade")
		http1.WriteField(bw, "Upgrade", protocol)
	}
	bw.WriteString("\r\n")
	x.sendShortBody()
	return bw.Flush()
}

// sendShortBody sends a body that came with its head in the same way.
func (x *exchange) sendShortBody() {
	n := int(min(x.req.Length, math.MaxInt32))
	if n <= 0 || n > x.br.Buffered() {
		return
	}
	b, _ := x.br.Peek(n)
	x.sc.bw.Write(b)
	x.br.Discard(n)
	x.sentBody = true
	x.up.Add(int64(n))
}

// interim passes a 1xx response on.
func (x *exchange) interim(resp *http.Response) error {
	if x.req.Minor == 0 {
		return nil
	}
	x.answered = true
	bw := x.bw
	http1.WriteStatus(bw, resp.StatusCode, "")
	writeHeader(bw, resp.Header)
	bw.WriteString("\r\n")
	return bw.Flush()
}

// hostField is the Host field for a target on http's port or another.
func hostField(to target) string {
	s := to.String()
	if to.Port == 80 {
		s = s[:len(s)-len(":80")]
	}
	return s
}
