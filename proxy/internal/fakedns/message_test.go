package fakedns

import (
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
)

func query(t testing.TB, name string, kind dnsmessage.Type, edns bool) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 7, RecursionDesired: true})
	b.StartQuestions()
	if err := b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}); err != nil {
		t.Fatal(err)
	}
	if edns {
		var h dnsmessage.ResourceHeader
		h.SetEDNS0(4096, 0, true)
		b.StartAdditionals()
		b.OPTResource(h, dnsmessage.OPTResource{})
	}
	msg, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// everything answers with as much as there can be.
func everything(dnsmessage.Question) Answer {
	return Answer{
		Addrs: []netip.Addr{FakeV4.Addr(), FakeV6.Addr()}, PTR: "example.com.", TTL: 10,
	}
}

func TestReply(t *testing.T) {
	for _, edns := range []bool{false, true} {
		var m dnsmessage.Message
		if err := m.Unpack(Reply(query(t, "eXample.com.", dnsmessage.TypeALL, edns), false, everything)); err != nil {
			t.Fatal(err)
		}
		if !m.Response || m.ID != 7 || !m.RecursionDesired || m.RCode != 0 || len(m.Answers) != 3 || (len(m.Additionals) == 1) != edns {
			t.Errorf("EDNS %v: %+v", edns, m)
		}
		if got := m.Questions[0].Name.String(); got != "eXample.com." {
			t.Errorf("the question comes back as %s", got)
		}
		for _, a := range m.Answers {
			if a.Header.TTL != 10 {
				t.Errorf("%+v", a)
			}
		}
	}
}

func TestReplyMalformed(t *testing.T) {
	good := query(t, "example.com.", dnsmessage.TypeA, true)
	change := func(at int, b byte) []byte {
		c := slices.Clone(good)
		c[at] = b
		return c
	}
	for name, test := range map[string]struct {
		query []byte
		want  int // -1 for no reply
	}{
		"nothing":        {nil, -1},
		"half a header":  {good[:11], -1},
		"a reply":        {change(2, 0x80), -1},
		"another opcode": {change(2, 4<<3), int(dnsmessage.RCodeNotImplemented)},
		"no question":    {change(5, 0), int(dnsmessage.RCodeFormatError)},
		"two questions":  {change(5, 2), int(dnsmessage.RCodeFormatError)},
		"cut short":      {good[:20], int(dnsmessage.RCodeFormatError)},
		"good":           {good, 0},
	} {
		reply := Reply(test.query, false, everything)
		var m dnsmessage.Message
		switch {
		case test.want < 0:
			if reply != nil {
				t.Errorf("%s: % x", name, reply)
			}
		case m.Unpack(reply) != nil || int(m.RCode) != test.want:
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestReverse(t *testing.T) {
	for name, want := range map[string]string{
		"16.0.18.198.in-addr.arpa": "198.18.0.16",
		"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.6.5.7.2.7.3.7.f.5.d.f.ip6.arpa": "fd5f:7372:756e::10",
		"256.0.0.1.in-addr.arpa":  "",
		"0.0.1.in-addr.arpa":      "",
		"-1.0.0.1.in-addr.arpa":   "",
		"1.2.3.4.5.in-addr.arpa":  "",
		"in-addr.arpa":            "",
		"1.0.0.0.ip6.arpa":        "",
		"example.com":             "",
		"16.0.18.198.IN-ADDR.arp": "",
	} {
		a, ok := ParseReverse(name)
		if ok != (want != "") || ok && a != netip.MustParseAddr(want) {
			t.Errorf("%s: %v, %v", name, a, ok)
		}
	}
}

func TestCutService(t *testing.T) {
	for name, want := range map[string]string{
		"_http._tcp.example.com": "example.com", "example.com": "example.com", "a._b.test": "a._b.test", "_only": "_only", "": "",
	} {
		if got, service := CutService(name); got != want || service != (got != name) {
			t.Errorf("%q: %q, %v", name, got, service)
		}
	}
}

// Every query gets a well-formed reply or none.
func FuzzReply(f *testing.F) {
	f.Add(query(f, "example.com.", dnsmessage.TypeA, true))
	f.Add(query(f, "_x._y.other.test.", dnsmessage.TypeSRV, false))
	f.Add(query(f, "16.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, false))
	var table Table
	h, _ := policy.ParseHost("example.com")
	a4, a6, _ := table.Assign(h)
	f.Fuzz(func(t *testing.T, raw []byte) {
		asked := 0
		reply := Reply(raw, false, func(q dnsmessage.Question) Answer {
			asked++
			return Answer{Addrs: OfType(q.Type, a4, a6), PTR: "example.com.", TTL: 1}
		})
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil || !m.Response || len(reply) > ednsSize || asked > 1 || len(m.Answers) > 0 && asked == 0 {
			t.Fatalf("% x: % x, %v", raw, reply, err)
		}
	})
}
