package policy

import (
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Example.COM.", "example.com"},
		{"example.com:443", "example.com:443"},
		{"*.Example.com", "*.example.com"},
		{"*.example.com:8443", "*.example.com:8443"},
		{"*.github.io", "*.github.io"},
		{"*.internal", "*.internal"},
		{"com", "com"},
		{"*", "*"},
		{"*:443", "*:443"},
		{"localhost:8080", "localhost:8080"},
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"0x7f.1:80", "127.0.0.1:80"},
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"10.0.0.0/8:80", "10.0.0.0/8:80"},
		{"[2001:DB8::1]", "2001:db8::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"[2001:db8::1]:443", "[2001:db8::1]:443"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"[2001:db8::/32]:443", "[2001:db8::/32]:443"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
	} {
		p, err := ParsePattern(tt.in)
		if err != nil || p.String() != tt.want {
			t.Errorf("ParsePattern(%q) = %q, %v; want %q", tt.in, p, err, tt.want)
		}
		if again, err := ParsePattern(p.String()); again != p {
			t.Errorf("ParsePattern(%q) = %#v, %v; want %#v", p, again, err, p)
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, tt := range []struct{ in, why string }{
		{"", "empty"},
		{"*.com", "public suffix"},
		{"*.COM", "public suffix"},
		{"*.com.:443", "public suffix"},
		{"*.co.uk", "public suffix"},
		{"*.uk", "public suffix"},
		{"*.ck", "public suffix"},
		{"*.kawasaki.jp", "public suffix"},
		{"*.", "empty"},
		{"**.example.com", "'*'"},
		{"*example.com", "'*'"},
		{"a.*.com", "'*'"},
		{"*.*.com", "'*'"},
		{"*.127.0.0.1", "wildcard over an address"},
		{"*.1", "wildcard over an address"},
		{"https://example.com/x", `as in "example.com"`},
		{"example.com/x", "address range"},
		{"10.0.0.1/8", "did you mean 10.0.0.0/8"},
		{"10.0.0.0/33", "address range"},
		{"::ffff:0.0.0.0/90", "IPv4-mapped"},
		{"example.com:0", "port"},
		{"example.com:70000", "port"},
		{"example.com:0443", "port"},
		{"example.com:*", "port"},
		{"example.com:", "port is missing"},
		{"[::1", "closing ']'"},
		{"[fe80::1%lo]", "'%'"},
		{"a b", "space"},
		{"a,b", "','"},
		{"user@host", "'@'"},
	} {
		p, err := ParsePattern(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParsePattern(%q) = %q, %v; want an error with %q", tt.in, p, err, tt.why)
		}
	}
}

func TestPatternMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, host string
		want          bool
	}{
		{"example.com", "example.com:443", true},
		{"example.com", "www.example.com:443", false},
		{"example.com:443", "example.com:80", false},
		{"*.example.com", "example.com:443", false},
		{"*.example.com", "www.example.com:443", true},
		{"*.example.com", "a.b.example.com:443", true},
		{"*.example.com", "notexample.com:443", false},
		{"*.example.com", "example.com.evil.example:443", false},
		{"*", "anything.example:1", true},
		{"*", "192.0.2.1:80", false},
		{"*:443", "a.example:80", false},
		{"10.0.0.0/8", "10.1.2.3:80", true},
		{"10.0.0.0/8", "[::ffff:10.1.2.3]:80", true},
		{"10.0.0.0/8", "11.0.0.1:80", false},
		{"10.0.0.0/8:443", "10.1.2.3:80", false},
		{"192.0.2.1", "192.0.2.1:22", true},
		{"2001:db8::/32", "[2001:db8:1::1]:80", true},
		{"::/0", "192.0.2.1:80", false},
		{"localhost:8080", "localhost:8080", true},
		{"localhost:8080", "127.0.0.1:8080", false},
	} {
		p, hp := mustPattern(t, tt.pattern), mustHostPort(t, tt.host)
		if got := p.Match(hp); got != tt.want {
			t.Errorf("%q.Match(%q) = %v; want %v", p, hp, got, tt.want)
		}
	}
	if (Pattern{}).Match(HostPort{}) {
		t.Error("the zero pattern matches the zero host")
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{
		"example.com", "*.example.com:443", "*", "*:1", "10.0.0.0/8:80", "[2001:db8::/32]:443",
		"*.co.uk", "0x7f.1", "::ffff:10.0.0.0/104", "localhost:1", "*.bücher.example",
	} {
		f.Add(s, "www.example.com:443")
	}
	f.Fuzz(func(t *testing.T, s, authority string) {
		p, err := ParsePattern(s)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if again != p {
			t.Errorf("ParsePattern(%q) = %q, which reads back as %q, %v", s, p, again, err)
		}
		hp, err := ParseHostPort(authority)
		if err == nil && p.Match(hp) && !p.MatchHost(hp.Host) {
			t.Errorf("%q matches %q but not its host", p, hp)
		}
	})
}

func mustPattern(t testing.TB, s string) Pattern {
	t.Helper()
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatalf("ParsePattern(%q): %v", s, err)
	}
	return p
}

func mustHostPort(t testing.TB, s string) HostPort {
	t.Helper()
	hp, err := ParseHostPort(s)
	if err != nil {
		t.Fatalf("ParseHostPort(%q): %v", s, err)
	}
	return hp
}
