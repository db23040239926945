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
		"GET /\r\n":                       HTTP,
		"GET /x\r\nHost: y\r\n":           HTTP,
		"GET /x RTSP/1.0\r\n":             HTTP,
		"SOURCE /x ICE/1.0\r\n":           HTTP,
		"OPTIONS rtsp://x/ RTSP/1.0\r\n":  HTTP,
		"OPTIONS *\n":                     HTTP,
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1\r\n": HTTP,
		"\r\n\r\n\x00\r\nQUIT\n\x21":                           HTTP,
		"get /x\r\n":                                           Opaque,
		"SET /x 0 0 5\r\n":                                     Opaque,
		"NOTIFY me now\r\n":                                    Opaque,
		"\x80\x2e\x01\x03\x03":                                 TLS,
		"\x80\x2e\x01\x00\x02":                                 TLS,
		"\x80\x2e\x00\x03\x03":                                 Odd,
		"\r\n":                                                 Odd,
		" G":                                                   Odd,
		"G:":                                                   Odd,
		"GET\v":                                                Odd,
		"GET /\x00":                                            Odd,
		"\x80\x2e\x01":                                         Odd,
		long:                                                   Endless,
		"GET /\x00" + long:                                     Endless,
		"GET\xa0" + long:                                       Endless,
		strings.Repeat("\r\n", MaxHead):                        Endless,
		`{"a":"HTTP/1.1"}`:                                     Odd,
		"{\"a\":\"HTTP/1.1\"}\n":                               Opaque,
		"HTTP/1.1\n":                                           Opaque,
		`{"a": "HTTP/1.1"}`:                                    HTTP,
		"{" + long:                                             Opaque,
		strings.Repeat("\x00", MaxHead):                        Opaque,
	} {
		if got := Classify([]byte(b)); got != want {
			t.Errorf("%.40q: %d, want %d", b, got, want)
		}
	}
}

// A line of any length is judged as one that is kept is, whatever pieces it comes in.
func TestLine(t *testing.T) {
	long := strings.Repeat("a", 1000)
	for line, want := range map[string]Kind{
		"":                                   Odd,
		long:                                 Odd,
		"GET /" + long + " HTTP/1.1":         HTTP,
		"\r\n\r\nGET /" + long + " hTTp/":    HTTP,
		"GET\xa0/\xa0http/":                  HTTP,
		"GET /" + long + "\nX: HTTP/1.1":     Opaque,
		long + "http/":                       Odd,
		" " + long + "http/1.1":              Odd,
		long + "/ http:/ http":               Odd,
		strings.Repeat("\r\n", 1000) + "x\n": Opaque,
	} {
		for _, size := range []int{1, 3, len(line) + 1} {
			var l Line
			got := Odd
			for rest := line; rest != "" && got == Odd; {
				n := min(size, len(rest))
				got, rest = l.Add([]byte(rest[:n])), rest[n:]
			}
			if got != want {
				t.Errorf("%.40q in pieces of %d: %d, want %d", line, size, got, want)
			}
		}
	}
}

func TestBegins(t *testing.T) {
	for b, want := range map[string]bool{
		"": true, "G": true, "GET": true, "GET ": true, "GET /": true, "GET /a HT": true, "OPTIONS * HTTP": true,
		"GET h": false, "GET http://a/": false, " GET": false, "GET\t/": false, "G:T /": false, "GET /\x00": false, "GET  /": false,
	} {
		if got := Begins([]byte(b)); got != want {
			t.Errorf("%q: %v", b, got)
		}
	}
}
