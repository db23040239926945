package http1

import (
	"bytes"
	"strings"
	"testing"

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
			func() (policy.HostPort, error) { return ParseAuthority(s, 80) },
			func() (policy.HostPort, error) {
				authority, path, err := SplitAbsolute(s)
				if err != nil {
					return policy.HostPort{}, err
				}
				if !strings.HasPrefix(path, "/") || strings.Contains(path, "#") {
					t.Errorf("path %q", path)
				}
				return ParseAuthority(authority, 80)
			},
		} {
			hp, err := parse()
			if err != nil {
				continue
			}
			again, err := policy.ParseHostPort(hp.String())
			if err != nil || again != hp || hp.Port == 0 || strings.ContainsAny(hp.String(), "@ /\\%\r\n\x00") {
				t.Errorf("%q: %s, then %s, %v", s, hp, again, err)
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
		kind := Classify(b)
		if len(b) > 0 && 0x14 <= b[0] && b[0] <= 0x18 {
			if kind != TLS {
				t.Errorf("%q is %d", b, kind)
			}
			return
		}
		line, _, _ := strings.Cut(strings.TrimLeftFunc(string(b), isBlank), "\n")
		separator := strings.IndexFunc(line, func(r rune) bool { return r <= ' ' || r >= 0x7f })
		isRequest := separator >= 0 && strings.Contains(strings.ToLower(line[separator:]), "http/") && !bytes.HasPrefix(HTTP2Preface, b)
		if isRequest && kind != HTTP {
			t.Errorf("%q is %d", b, kind)
		}
		for n := range min(len(b), 64) {
			if early := Classify(b[:n]); early != Unclear && early != Odd && early != kind {
				t.Errorf("%q is %d, and its first %d bytes are %d", b, kind, n, early)
			}
		}
	})
}
