package tlshello

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// MaxSize bounds the bytes of a TLS ClientHello, records included. A hello is
// at most 64 KiB by crypto/tls, plus a header for each record.
const MaxSize = 68 << 10

// Timeout is for a whole ClientHello, from when it is looked for.
const Timeout = 10 * time.Second

// Hello is what a ClientHello says in the clear.
type Hello struct {
	ServerName string   // as crypto/tls takes it, "" for none; no validated name
	Protocols  []string // of ALPN
	Encrypted  bool     // it carries an Encrypted ClientHello: ServerName is the outer one
}

// extensionECH is encrypted_client_hello, RFC 9849.
const extensionECH = 0xfe0d

// UnrecognizedName is the fatal TLS alert of RFC 6066, as a record.
var UnrecognizedName = []byte{0x15, 3, 1, 0, 2, 2, 112}

// errPeeked ends a handshake that was only begun to read the hello.
var errPeeked = errors.New("peeked")

// Peek reads a ClientHello of which preread was read already, and writes nothing.
// It returns all it read, preread included; what is behind the hello may be among
// it. The hello may come split in any way, within MaxSize bytes and Timeout. The
// error is the connection's (io.EOF, a timeout), wrapped, or says what is wrong
// with the hello. The read deadline of conn is cleared.
func Peek(conn net.Conn, preread []byte) (h Hello, read []byte, err error) {
	r := &reader{Conn: conn, seen: preread}
	conn.SetReadDeadline(time.Now().Add(Timeout))
	defer conn.SetReadDeadline(time.Time{})
	seen := false
	err = tls.Server(r, &tls.Config{
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			seen = true
			h.ServerName, h.Protocols = info.ServerName, info.SupportedProtos
			h.Encrypted = slices.Contains(info.Extensions, extensionECH)
			return nil, errPeeked
		},
	}).HandshakeContext(context.Background())
	if seen {
		return h, r.seen, nil
	}
	return h, r.seen, fmt.Errorf("a TLS ClientHello that cannot be read: %w", err)
}

// reader reads at first what was read before, and remembers everything.
type reader struct {
	net.Conn
	seen []byte
	pos  int
}

func (r *reader) Read(b []byte) (int, error) {
	if r.pos < len(r.seen) {
		n := copy(b, r.seen[r.pos:])
		r.pos += n
		return n, nil
	}
	if len(r.seen) >= MaxSize {
		return 0, errors.New("longer than 64 KiB")
	}
	n, err := r.Conn.Read(b[:min(len(b), MaxSize-len(r.seen))])
	r.seen = append(r.seen, b[:n]...)
	r.pos += n
	return n, err
}

// Write drops the alert that ends the handshake: the client is not to see it.
func (r *reader) Write(b []byte) (int, error) { return len(b), nil }
