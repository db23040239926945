package policy

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ in, want string }{
		{"example.com", "example.com"},
		{"EXAMPLE.Com", "example.com"},
		{"example.com.", "example.com"},
		{"localhost", "localhost"},
		{"r3---sn-apo3qvuoxuxbt-j5pe.example.com", "r3---sn-apo3qvuoxuxbt-j5pe.example.com"},
		{"_dmarc.example.com", "_dmarc.example.com"},
		{"a_b.example", "a_b.example"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"1.example.com", "1.example.com"},
		{"0x7f.example", "0x7f.example"},
		{long + ".com", long + ".com"},

		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1.", "192.0.2.1"},
		{"0x7f.1", "127.0.0.1"},
		{"0X7F.1", "127.0.0.1"},
		{"127.1", "127.0.0.1"},
		{"017700000001", "127.0.0.1"},
		{"2130706433", "127.0.0.1"},
		{"0x7f000001", "127.0.0.1"},
		{"0177.0.0.01", "127.0.0.1"},
		{"192.168.257", "192.168.1.1"},
		{"0", "0.0.0.0"},
		{"0x", "0.0.0.0"},
		{"4294967295", "255.255.255.255"},

		{"2001:DB8::1", "2001:db8::1"},
		{"[2001:db8:0:0::1]", "2001:db8::1"},
		{"::ffff:127.0.0.1", "127.0.0.1"},
		{"[::ffff:7f00:1]", "127.0.0.1"},
		{"::", "::"},
	} {
		h, err := ParseHost(tt.in)
		if err != nil || h.String() != tt.want {
			t.Errorf("ParseHost(%q) = %q, %v; want %q", tt.in, h, err, tt.want)
		}
		if again, err := ParseHost(h.String()); again != h {
			t.Errorf("ParseHost(%q) = %#v, %v; want the same as %#v", h, again, err, h)
		}
	}
}

func TestParseHostRefuses(t *testing.T) {
	for _, tt := range []struct{ in, why string }{
		{"", "empty"},
		{".", "empty label"},
		{"..", "empty label"},
		{"example.com..", "empty label"},
		{"a..b", "empty label"},
		{".example.com", "empty label"},
		{"a\x00.example.com", "control byte 0x00"},
		{"a\r\nX: y", "control byte 0x0d"},
		{"a\nb", "control byte 0x0a"},
		{"a\x1b[31m", "control byte 0x1b"},
		{"a\x7f", "control byte 0x7f"},
		{"a b", "space"},
		{" a", "space"},
		{"user@host", "'@'"},
		{"a/b", "'/'"},
		{`a\b`, `'\\'`},
		{"a?b", "'?'"},
		{"a#b", "'#'"},
		{"a%2eb", "'%'"},
		{"fe80::1%lo", "'%'"},
		{"[::1%25lo]", "'%'"},
		{"-a.example", "begins or ends with '-'"},
		{"a-.example", "begins or ends with '-'"},
		{"_.example", "'_' only"},
		{"a*.example", "'*'"},
		{"a,b", "','"},
		{strings.Repeat("a", 64) + ".com", "longer than 63"},
		{strings.Repeat("a.", 127) + "com", "longer than 253"},
		{"1.2.3.4.5", "not an IPv4 address"},
		{"1.2.3.256", "not an IPv4 address"},
		{"256.1.1.1", "not an IPv4 address"},
		{"4294967296", "not an IPv4 address"},
		{"1.2.3.08", "not an IPv4 address"},
		{"1..2", "not an IPv4 address"},
		{"example.1", "not an IPv4 address"},
		{"example.0x1", "not an IPv4 address"},
		{"[127.0.0.1]", "not an IPv6 address"},
		{"[example.com]", "not an IPv6 address"},
		{"[::1", "closing ']'"},
		{"[", "closing ']'"},
		{"[]", "not an IPv6 address"},
		{"example.com:443", "not an IPv6 address"},
		{":::", "not an IPv6 address"},
	} {
		h, err := ParseHost(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseHost(%q) = %q, %v; want an error with %q", tt.in, h, err, tt.why)
		}
		if !h.IsZero() {
			t.Errorf("ParseHost(%q) = %q beside an error", tt.in, h)
		}
	}
}

func TestParseHostErrorIsPrintable(t *testing.T) {
	_, err := ParseHost("a\x1b[31m\r\n" + strings.Repeat("b", 1<<20))
	if strings.ContainsAny(err.Error(), "\x1b\r\n") || len(err.Error()) > 500 {
		t.Errorf("ParseHost error = %.600q; want one short printable line", err)
	}
}

func TestParseHostPort(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"example.com:443", "example.com:443"},
		{"Example.COM.:80", "example.com:80"},
		{"192.0.2.1:1", "192.0.2.1:1"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
	} {
		hp, err := ParseHostPort(tt.in)
		if err != nil || hp.String() != tt.want {
			t.Errorf("ParseHostPort(%q) = %q, %v; want %q", tt.in, hp, err, tt.want)
		}
	}
}

func TestParseHostPortRefuses(t *testing.T) {
	for _, tt := range []struct{ in, why string }{
		{"", "port is missing"},
		{"example.com", "port is missing"},
		{"example.com:", "port is missing"},
		{"[::1]", "port is missing"},
		{"[::1]:", "port is missing"},
		{":443", "empty"},
		{"a:0443", "port"},
		{"a:0", "port"},
		{"a:65536", "port"},
		{"a:70000", "port"},
		{"a:+1", "port"},
		{"a:-1", "port"},
		{"a:1e3", "port"},
		{"a:https", "port"},
		{"a: 1", "port"},
		{"a:1 ", "port"},
		{"a:1\r\nX: y", "brackets"},
		{"a:٤٤٣", "port"},
		{"a:443:443", "brackets"},
		{"::1:443", "brackets"},
		{"[::1]443", "after ']'"},
		{"[::1:443", "closing ']'"},
		{"[::1%25lo]:443", "'%'"},
		{"[127.0.0.1]:80", "not an IPv6 address"},
		{"user@example.com:443", "user name"},
		{"example.com:443@evil.example:443", "user name"},
		{"0x7f.1:80", "odd spelling of 127.0.0.1"},
		{"127.1:80", "odd spelling of 127.0.0.1"},
		{"2130706433:80", "odd spelling of 127.0.0.1"},
		{"017700000001:80", "odd spelling of 127.0.0.1"},
		{"127.0.0.1.:80", "odd spelling of 127.0.0.1"},
		{"http://example.com:80", "brackets"},
		{"a\x00:80", "control byte"},
	} {
		hp, err := ParseHostPort(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseHostPort(%q) = %q, %v; want an error with %q", tt.in, hp, err, tt.why)
		}
		if err != nil && hp != (HostPort{}) {
			t.Errorf("ParseHostPort(%q) = %q beside an error", tt.in, hp)
		}
	}
}

func TestHostFromAddr(t *testing.T) {
	for _, tt := range []struct {
		in   netip.Addr
		want string
	}{
		{netip.Addr{}, ""},
		{netip.MustParseAddr("::ffff:10.0.0.1"), "10.0.0.1"},
		{netip.MustParseAddr("fe80::1%eth0"), "fe80::1"},
	} {
		if got := HostFromAddr(tt.in).String(); got != tt.want {
			t.Errorf("HostFromAddr(%v) = %q; want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{
		"example.com", "EXAMPLE.com.", "0x7f.1", "[::ffff:1.2.3.4]", "xn--a", "a\x00b", "_x.y",
		"bücher.example", "127。0。0。1", "１２７.1", "exam\u00adple.com", "[::1]:443", "a:0443",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHost(s)
		if err != nil {
			return
		}
		if again, err := ParseHost(h.String()); again != h {
			t.Errorf("ParseHost(%q) = %q, which reads back as %q, %v", s, h, again, err)
		}
		if strings.ContainsFunc(h.String(), func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("ParseHost(%q) = %q: not printable ASCII", s, h)
		}
		hp := HostPort{h, 443}
		if again, err := ParseHostPort(hp.String()); again != hp {
			t.Errorf("ParseHostPort(%q) = %v, %v; want %v", hp, again, err, hp)
		}
	})
}
