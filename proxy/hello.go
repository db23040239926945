package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"srun/policy"
)

// hello is what the proxy looks at in a ClientHello.
type hello struct {
	serverName string
	protocols  []string // of ALPN
	encrypted  bool     // it carries an Encrypted ClientHello: serverName is the outer one
}

// extensionECH is encrypted_client_hello, RFC 9849.
const extensionECH = 0xfe0d

// unrecognizedName is the fatal TLS alert of RFC 6066, as a record.
var unrecognizedName = []byte{0x15, 3, 1, 0, 2, 2, 112}

// errPeeked ends a handshake that was only begun to read the hello.
var errPeeked = errors.New("peeked")

// peekHello reads a ClientHello, first bytes included, and writes nothing. It
// returns all it read; what is behind the hello may be among it. The hello may
// come split in any way, within maxHello bytes and helloTimeout.
func peekHello(conn net.Conn, first []byte) (h hello, read []byte, err error) {
	r := &helloReader{Conn: conn, seen: first}
	conn.SetReadDeadline(time.Now().Add(helloTimeout))
	defer conn.SetReadDeadline(time.Time{})
	seen := false
	err = tls.Server(r, &tls.Config{
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			seen = true
			h.serverName, h.protocols = info.ServerName, info.SupportedProtos
			h.encrypted = slices.Contains(info.Extensions, extensionECH)
			return nil, errPeeked
		},
	}).HandshakeContext(context.Background())
	if seen {
		return h, r.seen, nil
	}
	return h, r.seen, fmt.Errorf("a TLS ClientHello that cannot be read: %w", err)
}

// helloReader reads first what was read before, and remembers everything.
type helloReader struct {
	net.Conn
	seen []byte
	pos  int
}

func (r *helloReader) Read(b []byte) (int, error) {
	if r.pos < len(r.seen) {
		n := copy(b, r.seen[r.pos:])
		r.pos += n
		return n, nil
	}
	if len(r.seen) >= maxHello {
		return 0, errors.New("longer than 64 KiB")
	}
	n, err := r.Conn.Read(b[:min(len(b), maxHello-len(r.seen))])
	r.seen = append(r.seen, b[:n]...)
	r.pos += n
	return n, err
}

// Write drops the alert that ends the handshake: the client is not to see it.
func (r *helloReader) Write(b []byte) (int, error) { return len(b), nil }

// checkHello holds a hello against the grant that the connection rests on.
func (s *Server) checkHello(g grant, h hello) *Denial {
	if s.cfg.Strict {
		switch {
		case h.encrypted:
			return newDenial(g.target, g.dec, CodeSNIMismatch, "TLS with an encrypted server name (ECH), which strictAllowlist refuses")
		case h.serverName == "" && !g.literal():
			return newDenial(g.target, g.dec, CodeSNIMismatch, "TLS without a server name, which strictAllowlist refuses")
		}
	}
	if h.serverName == "" {
		return nil
	}
	return s.checkName(g, "TLS server name", h.serverName)
}

// checkName holds a name that a client sent inside an allowed connection, as
// what, against the name that was allowed. For an address, which has no name,
// it is any name that the rules allow at that port.
func (s *Server) checkName(g grant, what, raw string) *Denial {
	name, err := policy.ParseHost(raw)
	if err != nil {
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	}
	if name == g.target.Host || g.literal() && s.mayName(g, name) {
		return nil
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		what+" "+name.String()+" is not the allowed name "+g.target.Host.String())
}

// literal reports that the target is an address, or localhost: no name was
// allowed that another could be fronted by.
func (g grant) literal() bool {
	_, isAddr := g.target.Host.Addr()
	return isAddr || g.target.Host == localhost
}

// mayName reports that name may be asked for at an address.
func (s *Server) mayName(g grant, name policy.Host) bool {
	if a, ok := name.Addr(); g.target.Host == localhost && ok && a.IsLoopback() {
		return true
	}
	_, dec := s.judge(policy.HostPort{Host: name, Port: g.target.Port})
	switch dec.Verdict {
	case policy.Allowed:
		return true
	case policy.Denied:
		return false
	}
	return s.saidYes(name) || s.customProxyDecides()
}
