package proxy

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"srun/policy"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func dnsQuery(t testing.TB, name string, kind dnsmessage.Type, edns bool) []byte {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 4711, RecursionDesired: true})
	b.StartQuestions()
	n, err := dnsmessage.NewName(name)
	if err != nil {
		t.Fatal(err)
	}
	b.Question(dnsmessage.Question{Name: n, Type: kind, Class: dnsmessage.ClassINET})
	if edns {
		b.StartAdditionals()
		var h dnsmessage.ResourceHeader
		h.SetEDNS0(1232, 0, false)
		b.OPTResource(h, dnsmessage.OPTResource{})
	}
	msg, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// ask answers one question as text: "0 198.18.0.16 ttl 10".
func (w *world) dns(name string, kind dnsmessage.Type) string {
	w.t.Helper()
	var m dnsmessage.Message
	reply := w.s.dns.answer(dnsQuery(w.t, name, kind, true), false)
	if err := m.Unpack(reply); err != nil {
		w.t.Fatal(name, err)
	}
	if m.ID != 4711 || !m.Response || len(m.Questions) != 1 || m.Questions[0].Name.String() != name || len(m.Additionals) != 1 {
		w.t.Errorf("%s: %+v", name, m)
	}
	out := []string{fmt.Sprint(int(m.RCode))}
	for _, a := range m.Answers {
		switch body := a.Body.(type) {
		case *dnsmessage.AResource:
			out = append(out, netip.AddrFrom4(body.A).String())
		case *dnsmessage.AAAAResource:
			out = append(out, netip.AddrFrom16(body.AAAA).String())
		case *dnsmessage.PTRResource:
			out = append(out, body.PTR.String())
		}
	}
	return strings.Join(out, " ")
}

func TestDNSOwnName(t *testing.T) {
	inside := func(c *Config) { c.Inside = &Inside{Name: "box"} }
	for _, test := range []struct{ allow, deny, name, want string }{
		{"", "", "box.", "0 ::1"},
		{"", "", "Box.", "0 ::1"},
		{"", "", "box.test.", "5"},
		{"", "box", "box.", "5"},
		{"box", "", "box.", "0 fd5f:7372:756e::10"},
	} {
		w := newWorld(t, test.allow, test.deny, inside)
		if got := w.dns(test.name, dnsmessage.TypeAAAA); got != test.want {
			t.Errorf("%s, allowed %q, denied %q: %s, want %s", test.name, test.allow, test.deny, got, test.want)
		}
	}
}

func TestDNS(t *testing.T) {
	w := newWorld(t, "example.com *.wild.test ported.test:8080 localhost:5432", "bad.test *.evil.wild.test some.test:80")
	const any = dnsmessage.TypeALL
	for _, test := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"example.com.", dnsmessage.TypeA, "0 198.18.0.16"},
		{"EXAMPLE.com.", dnsmessage.TypeAAAA, "0 fd5f:7372:756e::10"},
		{"example.com.", any, "0 198.18.0.16 fd5f:7372:756e::10"},
		{"example.com.", 35, "0"}, // NAPTR
		{"a.wild.test.", dnsmessage.TypeA, "0 198.18.0.17"},
		{"ported.test.", dnsmessage.TypeA, "0 198.18.0.18"},
		{"example.com.", dnsmessage.TypeA, "0 198.18.0.16"},
		{"wild.test.", dnsmessage.TypeA, "5"},
		{"other.com.", dnsmessage.TypeA, "5"},
		{"other.com.", dnsmessage.TypeAAAA, "5"},
		{"bad.test.", dnsmessage.TypeA, "5"},
		{"x.evil.wild.test.", dnsmessage.TypeA, "5"},
		{"some.test.", dnsmessage.TypeA, "5"},
		{"localhost.", dnsmessage.TypeA, "0 127.0.0.1"},
		{"localhost.", dnsmessage.TypeAAAA, "0 ::1"},
		{"a.localhost.", dnsmessage.TypeA, "0 127.0.0.1"},
		{"_http._tcp.example.com.", dnsmessage.TypeA, "3"},
		{"_dmarc.bad.test.", dnsmessage.TypeTXT, "5"},
		{"16.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, "0 example.com."},
		{"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.6.5.7.2.7.3.7.f.5.d.f.ip6.arpa.", dnsmessage.TypePTR, "0 example.com."},
		{"1.2.0.192.in-addr.arpa.", dnsmessage.TypePTR, "3"},
		{"200.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, "3"},
		{"x.in-addr.arpa.", dnsmessage.TypePTR, "3"},
		{"192.0.2.1.", dnsmessage.TypeA, "3"},
		{"with space.test.", dnsmessage.TypeA, "5"},
		{".", dnsmessage.TypeNS, "5"},
	} {
		if got := w.dns(test.name, test.kind); got != test.want {
			t.Errorf("%s %v: %s, want %s", test.name, test.kind, got, test.want)
		}
	}
	var told []string
	for _, d := range w.denied() {
		told = append(told, lineAllow(d.Told()))
	}
	want := `denied network wild.test (not in allowedDomains); allow domain wild.test
denied network other.com (not in allowedDomains); allow domain other.com
denied network bad.test (denied by rule bad.test)
denied network x.evil.wild.test (denied by rule *.evil.wild.test)
denied network some.test (not in allowedDomains); allow domain some.test
denied network "with space.test" (not a valid target: host "with space.test": has a space)`
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
	if got := w.looked(); len(got) > 0 {
		t.Errorf("asked outside for %v", got)
	}
}

func TestDNSWhileAsking(t *testing.T) {
	for _, strict := range []bool{false, true} {
		w := newWorld(t, "", "bad.test", func(c *Config) {
			c.Strict = strict
			c.Ask = func(context.Context, Question) Answer { t.Error("asked before a connection"); return Deny }
		})
		want := map[bool]string{false: "0 198.18.0.16", true: "5"}[strict]
		if got := w.dns("any.test.", dnsmessage.TypeA); got != want {
			t.Errorf("strict %v: %s", strict, got)
		}
		if got := w.dns("bad.test.", dnsmessage.TypeA); got != "5" {
			t.Errorf("denied: %s", got)
		}
	}
}

func TestDNSMalformed(t *testing.T) {
	w := newWorld(t, "example.com", "")
	query := dnsQuery(t, "example.com.", dnsmessage.TypeA, false)
	with := func(change func(b []byte)) []byte {
		b := append([]byte(nil), query...)
		change(b)
		return b
	}
	for name, test := range map[string]struct {
		msg   []byte
		rcode int // -1: no reply
	}{
		"empty":         {nil, -1},
		"short":         {query[:11], -1},
		"a response":    {with(func(b []byte) { b[2] |= 0x80 }), -1},
		"an update":     {with(func(b []byte) { b[2] |= 5 << 3 }), 4},
		"cut":           {query[:len(query)-3], 1},
		"no question":   {with(func(b []byte) { b[5] = 0 })[:12], 1},
		"two questions": {append(with(func(b []byte) { b[5] = 2 }), query[12:]...), 1},
		"class CHAOS":   {with(func(b []byte) { b[len(b)-1] = 3 }), 5},
		"control":       {query, 0},
	} {
		reply := w.s.dns.answer(test.msg, false)
		if (reply == nil) != (test.rcode < 0) || reply != nil && int(reply[3]&15) != test.rcode {
			t.Errorf("%s: % x", name, reply)
		}
	}
	if len(w.denied()) > 0 {
		t.Errorf("%v", w.denied())
	}
}

func TestDNSOverSockets(t *testing.T) {
	w := newWorld(t, "example.com", "")
	for _, network := range []string{"udp4", "udp6"} {
		pc, err := net.ListenPacket(network, map[string]string{"udp4": "127.0.0.1:0", "udp6": "[::1]:0"}[network])
		if err != nil {
			t.Logf("%s: %v", network, err)
			continue
		}
		go w.s.ServeDNS(pc)
		lookupThrough(t, network, pc.LocalAddr().String())
	}
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go w.s.ServeDNS(struct{ net.PacketConn }{pc}) // one that cannot tell where a query was sent
	lookupThrough(t, "udp4", pc.LocalAddr().String())
	l := listen(t)
	go w.s.ServeDNSTCP(l)
	lookupThrough(t, "tcp", l.Addr().String())
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	query := dnsQuery(t, "example.com.", dnsmessage.TypeA, false)
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	conn.Write(append(framed, framed...))
	for range 2 {
		size := binary.BigEndian.Uint16(readN(conn, 2))
		if reply := readN(conn, int(size)); len(reply) != int(size) {
			t.Error("pipelined query unanswered")
		}
	}
	io.WriteString(conn, "\x00\x01x")
	if rest := readUntil(conn, ""); rest != "" {
		t.Errorf("%q", rest)
	}
}

// lookupThrough uses Go's resolver as a client.
func lookupThrough(t *testing.T, network, server string) {
	t.Helper()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	got, err := r.LookupNetIP(ctx, "ip", "example.com.")
	if err != nil || len(got) != 2 {
		t.Errorf("%s: %v %v", network, got, err)
	}
	names, err := r.LookupAddr(ctx, "198.18.0.16")
	if err != nil || len(names) != 1 || names[0] != "example.com." {
		t.Errorf("%s: %v %v", network, names, err)
	}
}

// A name is asked for as srun writes it, however the command did.
func TestAskedName(t *testing.T) {
	host, err := policy.ParseHost("good.test")
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		"Good.Test.": "good.test", "go\u00adod.test.": "good.test", "good\u3002test.": "good.test", "_http._tcp.good.test.": "_http._tcp.good.test",
		"_\u00ad.good.test.": "", "_a b.good.test.": "",
	} {
		if got, ok := askedName(raw, host); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, ok)
		}
	}
}
