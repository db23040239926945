package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"srun/proxy/internal/socks5"
)

// socksRequest is a whole SOCKS5 conversation of a client that does not wait.
func socksRequest(kind byte, host string, port uint16) []byte {
	b := []byte{5, 1, 0, 5, 1, 0, kind}
	if kind == socks5.Name {
		b = append(b, byte(len(host)))
	}
	return binary.BigEndian.AppendUint16(append(b, host...), port)
}

func socksAddr(s string) string { return string(netip.MustParseAddr(s).AsSlice()) }

func TestSOCKS(t *testing.T) {
	w := newWorld(t, "example.com 198.51.100.7 2001:db8::7 down.test nosuch.test *.wild.test", "bad.test")
	w.serve("example.com", "198.51.100.7", 7, echo)
	w.serve("", "2001:db8::7", 7, echo)
	w.names["down.test"] = []string{"198.51.100.8"}
	w.names["in.wild.test"] = []string{"10.0.0.1"}
	for _, test := range []struct {
		kind  byte
		host  string
		port  uint16
		reply byte
	}{
		{socks5.Name, "example.com", 7, socks5.OK},
		{socks5.Name, "EXAMPLE.com.", 7, socks5.OK},
		{socks5.Name, "198.51.100.7", 7, socks5.OK},
		{socks5.IPv4, socksAddr("198.51.100.7"), 7, socks5.OK},
		{socks5.IPv6, socksAddr("2001:db8::7"), 7, socks5.OK},
		{socks5.IPv6, socksAddr("::ffff:198.51.100.7"), 7, socks5.OK},
		{socks5.Name, "other.com", 7, socks5.NotAllowed},
		{socks5.Name, "bad.test", 7, socks5.NotAllowed},
		{socks5.Name, "in.wild.test", 7, socks5.NotAllowed},
		{socks5.IPv4, socksAddr("127.0.0.1"), 7, socks5.NotAllowed},
		{socks5.IPv6, socksAddr("::1"), 7, socks5.NotAllowed},
		{socks5.Name, "example.com\x00.evil.test", 7, socks5.NotAllowed},
		{socks5.Name, "user@example.com", 7, socks5.NotAllowed},
		{socks5.Name, "127.1", 7, socks5.NotAllowed},
		{socks5.Name, "", 7, socks5.NotAllowed},
		{socks5.Name, "example.com", 0, socks5.NotAllowed},
		{socks5.Name, "down.test", 7, socks5.ConnectionRefused},
		{socks5.Name, "nosuch.test", 7, socks5.HostUnreachable},
		{9, "", 7, socks5.AddressNotSupported},
	} {
		conn := w.open()
		conn.Write(append(socksRequest(test.kind, test.host, test.port), "\x00early"...))
		got := readN(conn, 12)
		if len(got) != 12 || string(got[:3]) != "\x05\x00\x05" || got[3] != test.reply {
			t.Errorf("%d %q: % x, want reply %d", test.kind, test.host, got, test.reply)
		} else if test.reply == socks5.OK {
			if echoed := readN(conn, 6); string(echoed) != "\x00early" {
				t.Errorf("%d %q: echo %q", test.kind, test.host, echoed)
			}
		}
		conn.Close()
	}
	for _, d := range w.denied() {
		if strings.Contains(d.Line(), "\x00") {
			t.Errorf("%q", d.Line())
		}
	}
	waitSessions(t, w.s, 0)
}

func TestSOCKSRefusals(t *testing.T) {
	w := newWorld(t, "example.com", "")
	for name, test := range map[string]struct{ send, want string }{
		"password only": {"\x05\x01\x02", "\x05\xff"},
		"no methods":    {"\x05\x00", "\x05\xff"},
		"bind":          {"\x05\x01\x00\x05\x02\x00\x01\x01\x02\x03\x04\x00\x07", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"},
		"udp":           {"\x05\x01\x00\x05\x03\x00\x01\x01\x02\x03\x04\x00\x07", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"},
		"socks4":        {"\x04\x01\x00\x07\x01\x02\x03\x04\x00\r\n", "HTTP/1.1 400 "},
	} {
		if got := w.say(test.send, ""); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The server name is checked behind SOCKS as behind CONNECT.
func TestSOCKSServerName(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 443, tlsServer)
	open := func() net.Conn {
		conn := w.open()
		conn.Write(socksRequest(socks5.Name, "example.com", 443))
		readN(conn, 12)
		return conn
	}
	if got, err := handshake(open(), "example.com"); got != `you want "example.com"` {
		t.Error(got, err)
	}
	if got, err := handshake(open(), "other.com"); err == nil {
		t.Error(got)
	}
	conn := open()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: other.com\r\n\r\n")
	if got := readUntil(conn, ""); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("%q", got)
	}
}
