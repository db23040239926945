package proxy

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is the host's name server: it has records by "TYPE name", and keeps what it was
// asked. What it has not does not exist.
type zone struct {
	mu      sync.Mutex
	records map[string][]dnsmessage.ResourceBody
	slow    map[string]time.Duration
	asks    []string
}

func (w *world) nameServer(z *zone) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { pc.Close() })
	w.mu.Lock()
	w.dnsAt = append(w.dnsAt, netip.MustParseAddrPort(pc.LocalAddr().String()))
	w.mu.Unlock()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			go func() {
				if reply, err := z.answer(m); err == nil {
					pc.WriteTo(reply, from)
				}
			}()
		}
	}()
}

func (z *zone) answer(m dnsmessage.Message) ([]byte, error) {
	q := m.Questions[0]
	key := strings.TrimPrefix(q.Type.String(), "Type") + " " + strings.TrimSuffix(q.Name.String(), ".")
	z.mu.Lock()
	z.asks = append(z.asks, key)
	found, ok := z.records[key]
	wait := z.slow[key]
	z.mu.Unlock()
	time.Sleep(wait)
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true}, Questions: m.Questions}
	if !ok {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, body := range found {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 77}
		reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: h, Body: body})
	}
	glue := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("glue.test."), Class: dnsmessage.ClassINET}
	reply.Additionals = []dnsmessage.Resource{{Header: glue, Body: &dnsmessage.AResource{A: [4]byte{198, 51, 100, 1}}}}
	return reply.Pack()
}

func (z *zone) asked() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.asks)
}

// lookUp asks the proxy, and returns code and records as text.
func (w *world) lookUp(name string, kind dnsmessage.Type) string {
	w.t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(w.s.dns.answer(dnsQuery(w.t, name, kind, true), false)); err != nil {
		w.t.Fatal(name, err)
	}
	out := []string{fmt.Sprint(int(m.RCode))}
	for _, a := range m.Answers {
		if a.Header.Name.String() != name {
			w.t.Errorf("%s: a record of %s", name, a.Header.Name)
		}
		switch body := a.Body.(type) {
		case *dnsmessage.SRVResource:
			out = append(out, fmt.Sprint(body.Target, body.Port))
		case *dnsmessage.TXTResource:
			out = append(out, body.TXT...)
		case *dnsmessage.MXResource:
			out = append(out, body.MX.String())
		case *dnsmessage.HTTPSResource:
			var keys []string
			for _, p := range body.Params {
				keys = append(keys, p.Key.String())
			}
			out = append(out, fmt.Sprint(body.Target, keys))
		case *dnsmessage.UnknownResource:
			out = append(out, fmt.Sprintf("%q", body.Data))
		default:
			out = append(out, fmt.Sprintf("%T", body))
		}
	}
	for _, a := range m.Additionals {
		if a.Header.Type != dnsmessage.TypeOPT {
			w.t.Errorf("%s: additional %+v", name, a)
		}
	}
	return strings.Join(out, " ")
}

// Records of an allowed name are those of the host's name server, and no question
// about another gets there.
func TestDNSOutside(t *testing.T) {
	name := dnsmessage.MustNewName
	https := &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{Priority: 1, Target: name(".")}}
	https.SetParam(dnsmessage.SVCParamALPN, []byte("\x02h2"))
	https.SetParam(dnsmessage.SVCParamIPv4Hint, []byte{198, 51, 100, 1})
	https.SetParam(dnsmessage.SVCParamECH, []byte("key"))
	https.SetParam(dnsmessage.SVCParamIPv6Hint, make([]byte, 16))
	z := &zone{records: map[string][]dnsmessage.ResourceBody{
		"SRV _imap._tcp.example.com": {&dnsmessage.SRVResource{Target: name("mail.example.net."), Port: 143}},
		"TXT example.com":            {&dnsmessage.TXTResource{TXT: []string{"v=spf1"}}},
		"TXT a.wild.test":            {&dnsmessage.TXTResource{TXT: []string{"wild"}}},
		"MX example.com":             {&dnsmessage.MXResource{MX: name("mx.example.com.")}, &dnsmessage.AResource{A: [4]byte{198, 51, 100, 1}}},
		"HTTPS example.com":          {https},
		"257 example.com":            {&dnsmessage.UnknownResource{Type: 257, Data: []byte("\x00\x05issueca")}},
		"TXT bad.test":               {&dnsmessage.TXTResource{TXT: []string{"never"}}},
	}}
	log := &logBuffer{}
	w := newWorld(t, "example.com *.wild.test localhost:5432", "bad.test", func(c *Config) { c.Audit = log })
	w.nameServer(z)
	for _, test := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"_imap._tcp.example.com.", dnsmessage.TypeSRV, "0 mail.example.net. 143"},
		{"_ImaP._tcp.Example.com.", dnsmessage.TypeSRV, "0 mail.example.net. 143"},
		{"example.com.", dnsmessage.TypeTXT, "0 v=spf1"},
		{"a.wild.test.", dnsmessage.TypeTXT, "0 wild"},
		{"example.com.", dnsmessage.TypeMX, "0 mx.example.com."},
		{"example.com.", dnsmessage.TypeHTTPS, "0 . [ALPN]"},
		{"example.com.", 257, `0 "\x00\x05issueca"`},
		{"example.com.", dnsmessage.TypeCNAME, "0"},
		{"_none._tcp.example.com.", dnsmessage.TypeSRV, "3"},
	} {
		if got := w.lookUp(test.name, test.kind); got != test.want {
			t.Errorf("%s %v: %s, want %s", test.name, test.kind, got, test.want)
		}
	}
	asked := z.asked()
	for _, ask := range asked {
		if ask != strings.ToUpper(ask[:strings.Index(ask, " ")])+strings.ToLower(ask[strings.Index(ask, " "):]) {
			t.Errorf("asked %q", ask)
		}
	}
	if len(asked) != 9 {
		t.Errorf("asked %q", asked)
	}
	if lines := log.lines(t, 9); lines[0].Via != "dns" || lines[0].Verdict != "allowed" || lines[0].Host != "example.com" || lines[0].Note != "SRV _imap._tcp.example.com" {
		t.Errorf("%+v", lines[0])
	}
	for name, kind := range map[string]dnsmessage.Type{
		"mail.example.net.": dnsmessage.TypeA, "bad.test.": dnsmessage.TypeTXT, "_x._tcp.bad.test.": dnsmessage.TypeSRV,
		"other.test.": dnsmessage.TypeTXT, "sub.example.com.": dnsmessage.TypeTXT, "wild.test.": dnsmessage.TypeMX,
	} {
		if got := w.lookUp(name, kind); got != "5" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, kind := range map[string]dnsmessage.Type{
		"example.com.": dnsmessage.TypeA, "a.wild.test.": dnsmessage.TypeAAAA, "localhost.": dnsmessage.TypeTXT, "_x.localhost.": dnsmessage.TypeTXT,
		"1.2.0.192.in-addr.arpa.": dnsmessage.TypePTR, "192.0.2.1.": dnsmessage.TypeTXT, "example.com": dnsmessage.TypeALL,
	} {
		if !strings.HasSuffix(name, ".") {
			name += "."
		}
		w.lookUp(name, kind)
	}
	if got := z.asked(); len(got) != len(asked) {
		t.Errorf("asked as well %q", got[len(asked):])
	}
	if d := w.denied(); len(d) != 5 {
		t.Errorf("%v", d)
	}
}

// A name that is only going to be asked about is asked of nobody, and neither is any
// where a custom proxy gets everything.
func TestDNSOutsideNotYet(t *testing.T) {
	z := &zone{records: map[string][]dnsmessage.ResourceBody{"TXT any.test": {&dnsmessage.TXTResource{TXT: []string{"x"}}}}}
	answer := make(chan Answer, 1)
	w := newWorld(t, "", "", asking(func(context.Context, Question) Answer { return <-answer }))
	w.nameServer(z)
	w.serve("any.test", "198.51.100.1", 7, echo)
	if got := w.lookUp("any.test.", dnsmessage.TypeTXT); got != "0" || len(z.asked()) > 0 {
		t.Errorf("%s, asked %q", got, z.asked())
	}
	answer <- AllowOnce
	w.tunnel("any.test:7")
	if got := w.lookUp("any.test.", dnsmessage.TypeTXT); got != "0 x" {
		t.Errorf("after yes: %s", got)
	}
	for _, set := range []func(*Config){
		func(c *Config) { c.SOCKSProxyPort = 9 },
		func(c *Config) { c.HTTPProxyPort = 9 },
	} {
		z := &zone{}
		w := newWorld(t, "any.test", "", set)
		w.nameServer(z)
		if got := w.lookUp("any.test.", dnsmessage.TypeTXT); got != "0" || len(z.asked()) > 0 {
			t.Errorf("custom proxy: %s, asked %q", got, z.asked())
		}
	}
}

// What the name server takes its time for holds up no other question; what it never
// answers fails.
func TestDNSOutsideSlow(t *testing.T) {
	z := &zone{records: map[string][]dnsmessage.ResourceBody{}, slow: map[string]time.Duration{"TXT slow.test": time.Hour}}
	w := newWorld(t, "slow.test", "")
	w.nameServer(z)
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go w.s.ServeDNS(pc)
	conn, err := net.Dial("udp4", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	conn.SetDeadline(start.Add(20 * time.Second))
	conn.Write(dnsQuery(t, "slow.test.", dnsmessage.TypeTXT, false))
	conn.Write(dnsQuery(t, "slow.test.", dnsmessage.TypeA, false))
	for _, want := range []struct {
		kind  dnsmessage.Type
		rcode dnsmessage.RCode
		least time.Duration
		most  time.Duration
	}{{dnsmessage.TypeA, dnsmessage.RCodeSuccess, 0, 2 * time.Second}, {dnsmessage.TypeTXT, dnsmessage.RCodeServerFailure, 4 * time.Second, 10 * time.Second}} {
		buf := make([]byte, 512)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if m.Questions[0].Type != want.kind || m.RCode != want.rcode || took < want.least || took > want.most {
			t.Errorf("%v %v after %v, want %+v", m.Questions[0].Type, m.RCode, took, want)
		}
	}
}
