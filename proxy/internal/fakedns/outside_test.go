package fakedns

import (
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func record(name string, kind dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET, TTL: 60}
	return dnsmessage.Resource{Header: h, Body: body}
}

func service(params ...dnsmessage.SVCParam) *dnsmessage.HTTPSResource {
	return &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{Priority: 1, Target: dnsmessage.MustNewName("."), Params: params}}
}

// No address passes, in whatever record it comes, and nothing that was not asked for.
func TestPassable(t *testing.T) {
	txt := &dnsmessage.TXTResource{TXT: []string{"x"}}
	v4 := dnsmessage.SVCParam{Key: dnsmessage.SVCParamIPv4Hint, Value: []byte{198, 51, 100, 1}}
	v6 := dnsmessage.SVCParam{Key: dnsmessage.SVCParamIPv6Hint, Value: make([]byte, 16)}
	ech := dnsmessage.SVCParam{Key: dnsmessage.SVCParamECH, Value: []byte("key")}
	alpn := dnsmessage.SVCParam{Key: dnsmessage.SVCParamALPN, Value: []byte("\x02h2")}
	needs := func(keys string) dnsmessage.SVCParam {
		return dnsmessage.SVCParam{Key: dnsmessage.SVCParamMandatory, Value: []byte(keys)}
	}
	other := record("example.com.", dnsmessage.TypeTXT, txt)
	other.Header.Class = dnsmessage.ClassCHAOS
	alias := &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}
	for name, test := range map[string]struct {
		kind dnsmessage.Type
		in   []dnsmessage.Resource
		want string // names and types
	}{
		"asked for":        {dnsmessage.TypeTXT, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeTXT, txt)}, "eXample.com. TXT"},
		"behind an alias":  {dnsmessage.TypeTXT, []dnsmessage.Resource{record("EXAMPLE.com.", dnsmessage.TypeCNAME, alias), record("b.test.", dnsmessage.TypeTXT, txt)}, "eXample.com. CNAME, b.test. TXT"},
		"address":          {dnsmessage.TypeTXT, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeA, &dnsmessage.AResource{})}, ""},
		"another class":    {dnsmessage.TypeTXT, []dnsmessage.Resource{other}, ""},
		"another type":     {dnsmessage.TypeMX, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeTXT, txt)}, ""},
		"hints":            {dnsmessage.TypeHTTPS, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeHTTPS, service(alpn, v4, ech, v6))}, "eXample.com. HTTPS ALPN"},
		"hints of SVCB":    {dnsmessage.TypeSVCB, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeSVCB, &service(alpn, v4, v6).SVCBResource)}, "eXample.com. SVCB ALPN"},
		"needs a hint":     {dnsmessage.TypeHTTPS, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeHTTPS, service(needs("\x00\x01\x00\x04"), alpn, v4))}, ""},
		"needs ECH":        {dnsmessage.TypeHTTPS, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeHTTPS, service(needs("\x00\x05"), ech))}, ""},
		"needs half a key": {dnsmessage.TypeHTTPS, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeHTTPS, service(needs("\x00\x01\x00"), alpn))}, ""},
		"needs ALPN":       {dnsmessage.TypeHTTPS, []dnsmessage.Resource{record("example.com.", dnsmessage.TypeHTTPS, service(needs("\x00\x01"), alpn))}, "eXample.com. HTTPS Mandatory ALPN"},
	} {
		q := dnsmessage.Question{Name: dnsmessage.MustNewName("eXample.com."), Type: test.kind, Class: dnsmessage.ClassINET}
		var got []string
		for _, r := range Passable(q, test.in) {
			line := r.Header.Name.String() + " " + strings.TrimPrefix(r.Header.Type.String(), "Type")
			var params []dnsmessage.SVCParam
			switch body := r.Body.(type) {
			case *dnsmessage.HTTPSResource:
				params = body.Params
			case *dnsmessage.SVCBResource:
				params = body.Params
			}
			for _, p := range params {
				line += " " + p.Key.String()
			}
			got = append(got, line)
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// What the client's datagram does not hold is marked, and goes over a stream.
func TestTruncation(t *testing.T) {
	long := func(n int) func(q dnsmessage.Question) Answer {
		return func(q dnsmessage.Question) (a Answer) {
			for range n {
				text := &dnsmessage.TXTResource{TXT: []string{strings.Repeat("x", 100)}}
				a.Records = append(a.Records, record("example.com.", dnsmessage.TypeTXT, text))
			}
			return a
		}
	}
	for _, test := range []struct {
		records      int
		edns, stream bool
		whole        bool
	}{
		{4, false, false, true}, {5, false, false, false}, {5, true, false, true}, {10, true, false, true},
		{11, true, false, false}, {11, false, true, true}, {500, true, true, true}, {600, true, true, false},
	} {
		reply := Reply(query(t, "example.com.", dnsmessage.TypeTXT, test.edns), test.stream, long(test.records))
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil {
			t.Fatal(err)
		}
		want := 0
		if test.whole {
			want = test.records
		}
		if m.Truncated == test.whole || len(m.Answers) != want || len(m.Questions) != 1 || (len(m.Additionals) == 1) != test.edns {
			t.Errorf("%+v: truncated %v, %d answers in %d bytes", test, m.Truncated, len(m.Answers), len(reply))
		}
	}
}
