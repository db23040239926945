package proxy

import (
	"bytes"
	"errors"
	"io"
	"time"

	"srun/proxy/internal/relay"
)

// A TLS 1.3 server may answer a ClientHello with a HelloRetryRequest, and then
// the client sends a second hello in the clear. RFC 8446 section 4.1.2 has it
// name the same server; a client that wants to talk around the first check
// does not, and servers choose their host by the last hello. So the server's
// first record is looked at, and a second hello is held to the same name.

// retryRandom marks a ServerHello as a HelloRetryRequest: it is the SHA-256 of
// that word, RFC 8446 section 4.1.3.
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// Where the random lies in a stream that a ServerHello opens: behind the
// headers of record and message and the version.
const (
	randomAt  = 5 + 4 + 2
	randomEnd = randomAt + 32
)

// isRetry judges a server's first bytes; sure is false while more are needed.
func isRetry(b []byte) (retry, sure bool) {
	switch {
	case len(b) > 0 && b[0] != 0x16, len(b) > 5 && b[5] != 2:
		return false, true // no handshake record, no ServerHello
	case len(b) < randomEnd:
		return false, false
	}
	return bytes.Equal(b[randomAt:randomEnd], retryRandom), true
}

// firstDown passes the server's first bytes on and notes what they are. It
// returns io.EOF when there are none to come.
func (t *tunnel) firstDown() error {
	defer close(t.answered)
	var seen []byte
	for {
		if err := relay.WaitReadable(t.upstream); err != nil {
			return err
		}
		buf := make([]byte, relay.SmallBuffer)
		n, err := t.upstream.Read(buf)
		seen = append(seen, buf[:min(n, randomEnd)]...)
		var sure bool
		t.retry, sure = isRetry(seen)
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
	case <-t.c.s.ctx.Done():
		return t.c.s.ctx.Err()
	}
	if !t.retry {
		return t.send(more)
	}
	in := &earlyReader{early: more, conn: t.c.conn}
	before, err := t.skipToHello(in)
	if err != nil {
		return err
	}
	header := len(before) - recordHeader
	_, second, err := t.checkTLS(append(before[header:], in.early...))
	if err != nil {
		return err
	}
	return t.send(append(before[:header:header], second...))
}

// helloEnd is where the record ends that completes the ClientHello in b, which
// was read whole.
func helloEnd(b []byte) int {
	var message []byte
	for at := 0; at+recordHeader <= len(b); {
		end := min(at+recordHeader+int(b[at+3])<<8+int(b[at+4]), len(b))
		if b[at] == 0x16 {
			message = append(message, b[at+recordHeader:end]...)
		}
		if len(message) >= 4 && len(message)-4 >= int(message[1])<<16|int(message[2])<<8|int(message[3]) {
			return end
		}
		at = end
	}
	return len(b)
}

const recordHeader = 5

// skipToHello reads the records that may precede a second hello,
// change_cipher_spec and early data, and the header of the next.
func (t *tunnel) skipToHello(in io.Reader) ([]byte, error) {
	t.c.conn.SetReadDeadline(time.Now().Add(helloTimeout))
	defer t.c.conn.SetReadDeadline(time.Time{})
	var read []byte
	for len(read) < maxHello {
		var header [recordHeader]byte
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return nil, err
		}
		read = append(read, header[:]...)
		if header[0] != 0x14 && header[0] != 0x17 {
			return read, nil
		}
		body := make([]byte, int(header[3])<<8|int(header[4]))
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, err
		}
		read = append(read, body...)
	}
	return nil, errors.New("no second ClientHello")
}
