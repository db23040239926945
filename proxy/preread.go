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

// preread reads until the opening is clear. What may still be a request line
// is held back, for a while: then it goes out, as what is odd does at once. And
// should it turn out to be a request after all, the tunnel ends before the line
// does.
func (t *tunnel) preread(preread []byte) ([]byte, http1.Kind, error) {
	sent := 0
	for {
		kind := http1.Classify(preread)
		if len(preread) > 0 && t.down.Load() > 0 {
			kind = http1.Opaque // the server spoke first: neither TLS nor HTTP
		}
		switch kind {
		case http1.Unclear:
		case http1.Odd:
			if t.ruled() {
				return nil, kind, t.notHTTP()
			}
			if err := t.send(preread[sent:]); err != nil {
				return nil, http1.Opaque, err
			}
			sent = len(preread)
		default:
			if sent > 0 && kind != http1.Opaque {
				return nil, kind, t.uncheckable()
			}
			return preread[sent:], kind, nil
		}
		more, err := prereadMore(t.c.conn, len(preread) > sent)
		preread = append(preread, more...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if t.ruled() {
				return nil, http1.Opaque, t.notHTTP()
			}
			if err := t.send(preread[sent:]); err != nil {
				return nil, http1.Opaque, err
			}
			sent = len(preread)
		case err == io.EOF: // the end of a stream that never became clear
			return preread[sent:], http1.Opaque, nil
		case err != nil:
			return nil, http1.Opaque, err
		}
	}
}

// uncheckable refuses a request line that came in pieces too far apart, or whose
// beginning went out because it did not look like one.
func (t *tunnel) uncheckable() error {
	return t.deny(errors.New("a request line or TLS hello sent too slowly or too oddly to be checked"))
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

// prereadMore reads what is there. With bytes held back it does not wait for
// ever; without, it waits with empty hands.
func prereadMore(conn net.Conn, held bool) ([]byte, error) {
	if held {
		conn.SetReadDeadline(time.Now().Add(prereadWait))
		defer conn.SetReadDeadline(time.Time{})
	} else if err := relay.WaitReadable(conn); err != nil {
		return nil, err
	}
	buf := make([]byte, 2048)
	n, err := conn.Read(buf)
	return buf[:n], err
}
