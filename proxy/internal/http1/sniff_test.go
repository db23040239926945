package http1

import (
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	long := strings.Repeat("a", MaxHead)
	for b, want := range map[string]Kind{
		"":                                Unclear,
		"\x14":                            TLS,
		"\x16\x02\x00":                    TLS,
		"\x18GET / HTTP/1.1\r\n":          TLS,
		"G":                               Unclear,
		"GET /caf\xe9":                    Unclear,
		"GET /x\r":                        Unclear,
		long[:1000]:                       Unclear,
		"GET / HTTP":                      Unclear,
		"GET / HTTP/":                     HTTP,
		"PRI * HTTP/":                     Unclear,
		"PRI * HTTP/2.0\r\n":              HTTP,
		"PRI * HTTP/1":                    HTTP,
		" \t\v\x00\r\nGET / hTTp/1.1\r\n": HTTP,
		"GE\x00T /\x00 HTTP/1.1\r\n":      HTTP,
		"GET\v/\fHTTP/1.1\n":              HTTP,
		"GET\xa0/\xa0HTTP/1.1\n":          HTTP,
		"G:T / HTTP/1.1\r\n":              HTTP,
		"GET / HTTP/1.1\rHost: x\r\r":     HTTP,
		long[:1000] + " / HTTP/1.1\r\n":   HTTP,
		"GET\xa0http://x/\n":              HTTP,
		"GET\x00https://x/\n":             HTTP,
		"http://x/\n":                     Opaque,
		"GET /\r\n":                       Opaque,
		"GET /\r\nX: HTTP/1.1\r\n":        Opaque,
		"\r\n":                            Odd,
		" G":                              Odd,
		"G:":                              Odd,
		"GET\v":                           Odd,
		"GET /\x00":                       Odd,
		"\x80\x2e\x01":                    Odd,
		long:                              HTTP,
		"GET /\x00" + long:                HTTP,
		"GET\xa0" + long:                  HTTP,
		strings.Repeat("\r\n", MaxHead):   HTTP,
		"{" + long:                        Opaque,
		strings.Repeat("\x00", MaxHead):   Opaque,
	} {
		if got := Classify([]byte(b)); got != want {
			t.Errorf("%.40q: %d, want %d", b, got, want)
		}
	}
}
