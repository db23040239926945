package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"testing"
)

func read(s string) (*Head, error) { return ReadHead(bufio.NewReader(strings.NewReader(s))) }

func TestReadHead(t *testing.T) {
	h, err := read("POST http://a.test/x HTTP/1.1\r\nhost: a.test \r\nX-a:\tb\r\nContent-Length: 3\r\nx-A: c\r\n\r\nabc")
	if err != nil {
		t.Fatal(err)
	}
	if h.Method != "POST" || h.Target != "http://a.test/x" || h.Minor != 1 || h.Host != "a.test" || h.Hosts != 1 || h.Length != 3 || !h.SentLength {
		t.Errorf("%+v", h)
	}
	if got := strings.Join(h.Fields.Values("X-A"), " "); got != "b c" || len(h.Fields) != 2 {
		t.Errorf("%q of %v", got, h.Fields)
	}
	if h, err := read("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"); err != nil || h.Length != -1 {
		t.Errorf("%+v, %v", h, err)
	}
}

// Each of these is read in two ways by servers that exist.
func TestReadHeadRefuses(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n"
	for s, status := range map[string]int{
		"GET / HTTP/1.1\nHost: a\n\n":                                   400,
		"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n":                       400,
		"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n":                  400,
		"GET / HTTP/1.1\r\n\r\n":                                        400,
		"GET  / HTTP/1.1\r\nHost: a\r\n\r\n":                            400,
		"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n":                           400,
		"G:T / HTTP/1.1\r\nHost: a\r\n\r\n":                             400,
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n":                             505,
		"GET / http/1.1\r\nHost: a\r\n\r\n":                             505,
		get + "X : y\r\n\r\n":                                           400,
		get + ": y\r\n\r\n":                                             400,
		get + "X\r\n\r\n":                                               400,
		get + "X: a\rb\r\n\r\n":                                         400,
		get + "X: \x00\r\n\r\n":                                         400,
		get + "Content-Length: +1\r\n\r\n":                              400,
		get + "Content-Length: -1\r\n\r\n":                              400,
		get + "Content-Length: 1, 1\r\n\r\n":                            400,
		get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n":          400,
		get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
		get + "Transfer-Encoding: gzip, chunked\r\n\r\n":                501,
		"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n":          501,
		get + "X: " + strings.Repeat("a", MaxHead) + "\r\n\r\n":         431,
	} {
		h, err := read(s)
		if b, ok := IsBad(err); !ok || b.Status != status {
			t.Errorf("%.60q: %+v, %v; want %d", s, h, err, status)
		}
	}
	for s, want := range map[string]error{"": io.EOF, "GET": io.ErrUnexpectedEOF, get: io.ErrUnexpectedEOF} {
		if _, err := read(s); err != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestKeepsAlive(t *testing.T) {
	for s, want := range map[string]bool{
		"1.1\r\nHost: a":                            true,
		"1.1\r\nHost: a\r\nConnection: x, Close":    false,
		"1.1\r\nHost: a\r\nProxy-Connection: close": false,
		"1.0":                           false,
		"1.0\r\nConnection: Keep-Alive": true,
		"1.0\r\nConnection: keep-alive\r\nConnection: close": false,
	} {
		if h, err := read("GET / HTTP/" + s + "\r\n\r\n"); err != nil || h.KeepsAlive() != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestEndToEnd(t *testing.T) {
	f := Fields{
		{"Connection", "x-mine, Keep-Alive"}, {"X-Mine", "1"}, {"keep-alive", "2"}, {"TE", "gzip, trailers"},
		{"Proxy-Authorization", "3"}, {"Upgrade", "websocket"}, {"X-Yours", "4"},
	}
	var out bytes.Buffer
	bw := bufio.NewWriter(&out)
	f.EndToEnd().Write(bw)
	bw.Flush()
	if got := out.String(); got != "X-Yours: 4\r\nTE: trailers\r\n" {
		t.Errorf("%q", got)
	}
	for protocol, want := range map[string]string{"websocket": "websocket", "TCP": "TCP", "h2c": "", "HTTP/2.0": "", "websocket, h2c": ""} {
		if got := (Fields{{"Connection", "Upgrade"}, {"Upgrade", protocol}}).Upgrade(); got != want {
			t.Errorf("%s: %q", protocol, got)
		}
	}
}

// A response of net/http's cannot be split by what is in it.
func TestFromHeader(t *testing.T) {
	got := FromHeader(http.Header{"B": {"1", "2\r\nX: y"}, "A": {"3"}, "bad name": {"4"}, "": {"5"}})
	want := Fields{{"A", "3"}, {"B", "1"}, {"B", "2  X: y"}}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
	if got := ReasonPhrase(&http.Response{Status: "200 a\rb"}); got != "a b" {
		t.Errorf("%q", got)
	}
}

// What is written in chunks reads as itself, trailers included.
func TestChunks(t *testing.T) {
	var wire bytes.Buffer
	bw := bufio.NewWriter(&wire)
	w := NewChunkWriter(bw)
	for _, piece := range []string{"a", strings.Repeat("b", 70_000), "c"} {
		io.WriteString(w, piece)
	}
	EndChunks(bw, Fields{{"X-Sum", "1"}, {"Content-Length", "9"}})
	bw.Flush()
	br := bufio.NewReader(&wire)
	body, err := io.ReadAll(httputil.NewChunkedReader(br))
	if err != nil || len(body) != 70_002 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	trailers, err := ReadTrailers(br)
	if err != nil || len(trailers) != 1 || trailers[0] != (Field{"X-Sum", "1"}) || br.Buffered() > 0 {
		t.Errorf("%v, %v, %d bytes left", trailers, err, br.Buffered())
	}
	for _, s := range []string{"", "X: y\r\n", "X"} {
		if _, err := ReadTrailers(bufio.NewReader(strings.NewReader(s))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// A head that is taken reads as itself when it is written out.
func FuzzReadHead(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := read(s)
		if err != nil {
			return
		}
		var out bytes.Buffer
		bw := bufio.NewWriter(&out)
		bw.WriteString(h.Method + " " + h.Target + " HTTP/1." + strconv.Itoa(h.Minor) + "\r\n")
		if h.Hosts > 0 {
			WriteField(bw, "Host", h.Host)
		}
		switch {
		case h.SentLength:
			WriteField(bw, "Content-Length", strconv.FormatInt(h.Length, 10))
		case h.Length < 0:
			WriteField(bw, "Transfer-Encoding", "chunked")
		}
		h.Fields.Write(bw)
		bw.WriteString("\r\n")
		bw.Flush()
		again, err := read(out.String())
		if err != nil || again.Method != h.Method || again.Target != h.Target || again.Host != h.Host || again.Length != h.Length || len(again.Fields) != len(h.Fields) {
			t.Fatalf("%q: %+v, then %+v, %v", s, h, again, err)
		}
		for i := range h.Fields {
			if h.Fields[i] != again.Fields[i] {
				t.Errorf("%q became %q", h.Fields[i], again.Fields[i])
			}
		}
	})
}
