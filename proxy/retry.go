package proxy

import (
	"time"

	"srun/proxy/internal/relay"
	"srun/proxy/internal/tlshello"
)

// A TLS 1.3 server may answer a ClientHello with a HelloRetryRequest, and then
// the client sends a second hello in the clear. RFC 8446 section 4.1.2 has it
// name the same server; a client that wants to talk around the first check
// does not, and servers choose their host by the last hello. So the server's
// first record is looked at, and a second hello is held to the same name.

// prereadDown passes the server's first bytes on and notes what they are. It
// returns io.EOF when there are none to come.
func (t *tunnel) prereadDown() error {
	defer close(t.answered)
	var seen []byte
	for {
		if err := relay.WaitReadable(t.upstream); err != nil {
			return err
		}
		buf := make([]byte, relay.SmallBuffer)
		n, err := t.upstream.Read(buf)
		if len(seen) == 0 {
			if err := t.holdSettings(buf[:n]); err != nil {
				return err
			}
		}
		seen = append(seen, buf[:min(n, tlshello.RetryPrefix)]...)
		var sure bool
		t.retry, sure = tlshello.IsRetry(seen)
		if n > 0 {
			t.down.Add(int64(n))
			if _, werr := t.c.conn.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		if err != nil || sure {
			return err
		}
	}
}

// checkRetry holds a second hello, when the server asked for one, to the name
// of the first. more is what the client sent behind the first; it waits until
// the server's first record is known.
func (t *tunnel) checkRetry(more []byte) error {
	if len(more) == 0 {
		if ended, err := relay.WaitForMore(t.c.conn); ended || err != nil {
			return err
		}
	}
	select {
	case <-t.answered:
	case <-t.c.ctx.Done():
		return t.c.ctx.Err()
	}
	if !t.retry {
		return t.send(more)
	}
	in := &prereadReader{preread: more, conn: t.c.conn}
	t.c.conn.SetReadDeadline(time.Now().Add(tlshello.Timeout))
	before, err := tlshello.SkipToHello(in)
	t.c.conn.SetReadDeadline(time.Time{})
	if err != nil {
		return err
	}
	header := len(before) - tlshello.RecordHeader
	_, second, err := t.checkTLS(append(before[header:], in.preread...))
	if err != nil {
		return err
	}
	return t.send(append(before[:header:header], second...))
}
