package proxy

import (
	"bufio"
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/socks5"
)

// A denial of what does not parse is one line of plain text.
func FuzzBadTarget(f *testing.F) {
	for _, s := range []string{"user@host:443", "a\r\nb:1", "\x1b[2J:1", "ünï.test:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := policy.ParseHostPort(s)
		if err == nil {
			return
		}
		if d := badTarget(s, err); strings.ContainsFunc(d.Line(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("line %q", d.Line())
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
		h, err := http1.ReadHead(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		var out bytes.Buffer
		x := &exchange{req: h, path: "/", sc: &serverConn{bw: bufio.NewWriter(&out)}, origin: &origin{client: &client{br: bufio.NewReader(strings.NewReader(""))}}}
		x.g.target = hostAt(80)
		if err := x.send(); err != nil {
			t.Fatal(err)
		}
		again, err := http1.ReadHead(bufio.NewReader(&out))
		if err != nil || again.Length != h.Length || again.Hosts != 1 || h.Hosts == 1 && again.Host != h.Host || again.Method != h.Method || out.Len() > 0 {
			t.Errorf("%q became %+v, %v, rest %q", raw, again, err, out.String())
		}
		for _, name := range []string{"Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Http2-Settings"} {
			if len(again.Fields.Values(name)) > 0 {
				t.Errorf("%s went on", name)
			}
		}
	})
}

// Every query gets a well-formed reply or none, with nothing but synthetic and
// loopback addresses in it.
func FuzzDNS(f *testing.F) {
	f.Add(dnsQuery(f, "example.com.", dnsmessage.TypeA, true))
	f.Add(dnsQuery(f, "_x._y.other.test.", dnsmessage.TypeSRV, false))
	f.Add(dnsQuery(f, "16.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, false))
	nobody := func() ([]netip.AddrPort, error) { return nil, nil }
	s := New(Config{Domains: rules(f, "*", "bad.test"), NameServers: nobody})
	f.Fuzz(func(t *testing.T, query []byte) {
		reply := s.dns.answer(query, false)
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
	f.Add(socksRequest(socks5.Name, "example.com", 443)[3:])
	f.Add(socksRequest(socks5.IPv6, socksAddr("::1"), 1)[3:])
	f.Fuzz(func(t *testing.T, raw []byte) {
		target, err := socksTarget(bufio.NewReader(bytes.NewReader(raw)))
		if err == nil && (target.Port == 0 || target.Host.IsZero()) {
			t.Errorf("% x: %v", raw, target)
		}
	})
}
