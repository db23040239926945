package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
)

// A target that is taken is the same target when it is written out, so that
// rule, resolver, dialler and log speak of one host; and it never carries what
// has a meaning elsewhere.
func FuzzAuthority(f *testing.F) {
	for _, s := range []string{"example.com:443", "[::1]:80", "user@host:443", "host:0443", "0x7f.1:80", "http://a.test/x", "http://a.test:80", "//x/y", "http://[::1%25lo]/", "a\r\nb:1", "ünï.test:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func() (policy.HostPort, error){
			func() (policy.HostPort, error) { return policy.ParseHostPort(s) },
			func() (policy.HostPort, error) { return parseAuthority(s, 80) },
			func() (policy.HostPort, error) {
				authority, path, err := splitAbsolute(s)
				if err != nil {
					return policy.HostPort{}, err
				}
				if !strings.HasPrefix(path, "/") || strings.Contains(path, "#") {
					t.Errorf("path %q", path)
				}
				return parseAuthority(authority, 80)
			},
		} {
			hp, err := parse()
			if err != nil {
				if d := badTarget(s, err); strings.ContainsFunc(d.Line(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Errorf("line %q", d.Line())
				}
				continue
			}
			again, err := policy.ParseHostPort(hp.String())
			if err != nil || again != hp || hp.Port == 0 || strings.ContainsAny(hp.String(), "@ /\\%\r\n\x00") {
				t.Errorf("%q: %s, then %s, %v", s, hp, again, err)
			}
		}
	})
}

// A head that is taken means one thing: written out as the proxy sends it, it
// reads as itself.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: x, Host\r\nX: y\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := readHead(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		var out bytes.Buffer
		x := &exchange{req: h, path: "/", sc: &serverConn{bw: bufio.NewWriter(&out)}, h: &httpConn{br: bufio.NewReader(strings.NewReader(""))}}
		x.g.target = policy.HostPort{Host: localhost, Port: 80}
		if err := x.send(); err != nil {
			t.Fatal(err)
		}
		again, err := readHead(bufio.NewReader(&out))
		if err != nil || again.length != h.length || again.hosts != 1 || h.hosts == 1 && again.host != h.host || again.method != h.method || out.Len() > 0 {
			t.Errorf("%q became %+v, %v, rest %q", raw, again, err, out.String())
		}
		for _, name := range []string{"Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Http2-Settings"} {
			if len(again.fields.values(name)) > 0 {
				t.Errorf("%s went on", name)
			}
		}
	})
}

// A stream called opaque is none that a lenient server reads as HTTP.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\n", "\r\n\nGET\t/ http/1.0\n", "\x16\x03\x01", "SSH-2.0-x y\r\n", "PING\r\n", " GET\x00/\xa0hTTp/1", "PRI * HTTP/2.0\r\n", "\x00\x00\x00\x08\x04\xd2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kind := classify(b)
		if len(b) > 0 && 0x14 <= b[0] && b[0] <= 0x18 {
			if kind != openTLS {
				t.Errorf("%q is %d", b, kind)
			}
			return
		}
		line, _, _ := strings.Cut(strings.TrimLeftFunc(string(b), isBlank), "\n")
		isRequest := strings.Contains(strings.ToLower(line), "http/") && !bytes.HasPrefix(http2Preface, b)
		if isRequest && kind != openHTTP {
			t.Errorf("%q is %d", b, kind)
		}
		for n := range min(len(b), 64) {
			if early := classify(b[:n]); early != unclear && early != odd && early != kind {
				t.Errorf("%q is %d, and its first %d bytes are %d", b, kind, n, early)
			}
		}
	})
}

// Peeking ends, keeps every byte, and sees what crypto/tls sees however the
// stream is cut.
func FuzzHello(f *testing.F) {
	hello := clientHello(f, "example.com")
	f.Add(hello, 1)
	f.Add(splitRecords(hello, 9), 5)
	f.Add(hello[:60], 3)
	f.Add([]byte{0x15, 3, 1, 0, 2, 1, 0}, 1)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		whole, read, err := peekHello(&scripted{data: raw}, nil)
		if !bytes.HasPrefix(raw, read) {
			t.Errorf("read % x of % x", read, raw)
		}
		n := min(max(cut, 0), len(raw))
		split, _, errSplit := peekHello(&scripted{data: raw[n:], step: 1 + n%7}, bytes.Clone(raw[:n]))
		if !reflect.DeepEqual(whole, split) || (err == nil) != (errSplit == nil) {
			t.Errorf("%+v %v; split at %d: %+v %v", whole, err, n, split, errSplit)
		}
	})
}

// scripted is a connection that sends data and then ends.
type scripted struct {
	net.Conn
	data []byte
	step int
}

func (s *scripted) Read(b []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	if s.step > 0 {
		b = b[:min(len(b), s.step)]
	}
	n := copy(b, s.data)
	s.data = s.data[n:]
	return n, nil
}

func (s *scripted) SetReadDeadline(time.Time) error { return nil }
func (s *scripted) Close() error                    { return nil }

// Every query gets a well-formed reply or none, with nothing but synthetic and
// loopback addresses in it.
func FuzzDNS(f *testing.F) {
	f.Add(dnsQuery(f, "example.com.", dnsmessage.TypeA, true))
	f.Add(dnsQuery(f, "_x._y.other.test.", dnsmessage.TypeSRV, false))
	f.Add(dnsQuery(f, "16.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, false))
	s := New(Config{Domains: rules(f, "*", "bad.test")})
	f.Fuzz(func(t *testing.T, query []byte) {
		reply := s.answerDNS(query)
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil || !m.Response || len(reply) > 1232 {
			t.Fatalf("% x: % x, %v", query, reply, err)
		}
		for _, a := range m.Answers {
			if body, ok := a.Body.(*dnsmessage.AResource); ok && body.A[0] != 198 && body.A[0] != 127 {
				t.Errorf("%v", body)
			}
		}
	})
}

func FuzzSOCKS(f *testing.F) {
	f.Add(socksRequest(socksName, "example.com", 443)[3:])
	f.Add(socksRequest(socksIPv6, socksAddr("::1"), 1)[3:])
	f.Fuzz(func(t *testing.T, raw []byte) {
		target, err := readSOCKSRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err == nil && (target.Port == 0 || target.Host.IsZero()) {
			t.Errorf("% x: %v", raw, target)
		}
	})
}
