package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
)

// preread reads until the opening is clear. What it is not clear of goes out as it
// comes, for the server may be waiting for it, and the server's words may clear it.
// Should it turn out to be a request after all, the server has not seen the end of
// its first line: either the proxy finishes that (t.begun), once it has read and
// checked the whole head, or the tunnel ends. Where rules speak of requests, nothing
// goes out before it is clear.
func (t *tunnel) preread(read []byte) ([]byte, http1.Kind, error) {
	held := t.ruled()
	for sent := 0; ; {
		kind := t.classify(read, sent)
		switch kind {
		case http1.Opaque:
			return read[sent:], kind, nil
		case http1.TLS, http1.HTTP:
			return t.begin(read, sent, kind)
		}
		switch {
		case held && kind != http1.Unclear:
			return nil, kind, t.notHTTP()
		case !held:
			if err := t.send(read[sent:]); err != nil {
				return nil, kind, err
			}
			sent = len(read)
		}
		if sent > 0 && !prefaced(read) {
			t.clear()
		}
		if kind == http1.Endless {
			return t.follow(read)
		}
		more, err := prereadMore(t.c.conn, held && len(read) > 0)
		read = append(read, more...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, http1.Opaque, t.notHTTP()
		case err == io.EOF && http1.Classify(append(read, '\n')) == http1.HTTP:
			return nil, http1.HTTP, t.uncheckable() // the end of the stream may pass for that of the line
		case err == io.EOF:
			return read[sent:], http1.Opaque, nil
		case err != nil:
			return nil, http1.Opaque, err
		}
	}
}

// classify judges what was read, of which sent bytes went out. Where the server spoke
// first it is neither TLS nor HTTP, but for HTTP/2 in the clear; where it answered to what went out, what did not
// look like a request by then is none.
func (t *tunnel) classify(read []byte, sent int) http1.Kind {
	kind := http1.Classify(read)
	if kind == http1.HTTP && (t.g.target.literal() || t.ruled()) && !http1.HasVersion(read) {
		return http1.Opaque // RTSP and the like: no name could be fronted, or rules refuse it
	}
	if len(read) > 0 && t.down.Load() > 0 && (sent == 0 && !prefaced(read) || kind == http1.Odd) {
		return http1.Opaque
	}
	return kind
}

// begin takes a stream for TLS or HTTP. Of a request whose beginning went out the
// rest must be able to follow.
func (t *tunnel) begin(read []byte, sent int, kind http1.Kind) ([]byte, http1.Kind, error) {
	t.begun = read[:sent:sent]
	if sent > 0 && !http1.Begins(t.begun) {
		return nil, kind, t.uncheckable()
	}
	return read, kind, nil
}

// follow passes a first line on that is too long to be kept, until it ends. A
// request's ends the tunnel before it does.
func (t *tunnel) follow(read []byte) ([]byte, http1.Kind, error) {
	var line http1.Line
	line.Add(read)
	for {
		more, err := prereadMore(t.c.conn, false)
		kind := line.Add(more)
		switch {
		case kind == http1.HTTP:
			return nil, kind, t.uncheckable()
		case kind == http1.Opaque || err == io.EOF:
			return more, http1.Opaque, nil
		case err != nil:
			return nil, kind, err
		}
		if err := t.send(more); err != nil {
			return nil, kind, err
		}
	}
}

// uncheckable refuses a request whose first line is too long to be kept, or whose
// beginning went out because it did not look like one.
func (t *tunnel) uncheckable() error {
	return t.deny(errors.New("a request line or TLS hello that came too late, too long or too oddly to be checked"))
}

// ruled reports that rules on requests speak of what the tunnel leads to.
func (t *tunnel) ruled() bool {
	if t.terminated != nil {
		return t.c.requests.ruled(t.g.target, t.terminated.site)
	}
	return t.c.requests.ruled(t.g.target)
}

// notHTTP refuses what rules cannot be applied to.
func (t *tunnel) notHTTP() error {
	return t.denyAs(CodeMethodPolicy, "network.rules speak of it, and this is no HTTP that they can be applied to")
}

// deny reports a refusal of the tunnel and returns it.
func (t *tunnel) deny(why error) *Denial { return t.denyAs(CodeSNIMismatch, why.Error()) }

func (t *tunnel) denyAs(code, reason string) *Denial {
	d := newDenial(t.g.target, t.g.dec, code, reason)
	t.c.record.report(d, t.c.conn, t.c.via)
	return d
}

// prereadMore reads what is there, of MaxHead bytes or so at most. With bytes held back it does not wait for
// ever; without, it waits with empty hands.
func prereadMore(conn net.Conn, held bool) ([]byte, error) {
	if held {
		conn.SetReadDeadline(time.Now().Add(prereadWait))
		defer conn.SetReadDeadline(time.Time{})
	} else if err := relay.WaitReadable(conn); err != nil {
		return nil, err
	}
	var all []byte
	for {
		buf := make([]byte, 2048)
		n, err := conn.Read(buf)
		all = append(all, buf[:n]...)
		if n < len(buf) || err != nil || len(all) >= http1.MaxHead || !relay.Readable(conn) {
			return all, err
		}
	}
}
