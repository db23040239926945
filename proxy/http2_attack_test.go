package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is a client that says in HTTP/2 whatever it is told to.
type h2 struct {
	t    *testing.T
	conn io.ReadWriteCloser
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
	next  uint32
}

func (w *secureWorld) http2(t *testing.T) *h2 {
	t.Helper()
	conn, err := w.dialTLS("example.com:443", "example.com", "h2")
	if err != nil {
		t.Fatal(err)
	}
	return speakHTTP2(t, conn)
}

func speakHTTP2(t *testing.T, conn net.Conn) *h2 {
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &h2{t: t, conn: conn, Framer: http2.NewFramer(conn, conn), next: 1}
	c.AllowIllegalWrites = true
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.enc = hpack.NewEncoder(&c.block)
	io.WriteString(conn, http2.ClientPreface)
	c.WriteSettings()
	t.Cleanup(func() { conn.Close() })
	return c
}

// fields encodes "name: value" each.
func (c *h2) fields(fields ...string) []byte {
	c.block.Reset()
	writeFields(c.enc, fields)
	return bytes.Clone(c.block.Bytes())
}

func writeFields(enc *hpack.Encoder, fields []string) {
	for _, f := range fields {
		i := 1 + strings.Index(f[1:], ": ")
		enc.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]})
	}
}

// open begins a request and returns its stream.
func (c *h2) open(end bool, fields ...string) uint32 {
	id := c.next
	c.next += 2
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.fields(fields...), EndStream: end, EndHeaders: true})
	return id
}

// outcome is the status of a stream's response, or how it or all ended.
func (c *h2) outcome(id uint32) string {
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if status := f.PseudoValue("status"); f.StreamID == id && status >= "200" {
				return status
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				return "reset"
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return "go away"
			}
		case *http2.SettingsFrame:
			if !f.IsAck() {
				c.WriteSettingsAck()
			}
		}
	}
}

// seen is what a server got, a line a request.
type seen struct {
	mu    sync.Mutex
	lines []string
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	line := fmt.Sprintf("%s %s %s %q", r.Method, r.Host, r.RequestURI, body)
	if err != nil {
		line += " cut"
	}
	names := []string{}
	for name := range r.Trailer {
		names = append(names, name)
	}
	if slices.Sort(names); len(names) > 0 {
		line += fmt.Sprint(" trailers ", names)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

var goodGet = []string{":method: GET", ":scheme: https", ":path: /", ":authority: example.com"}

func good(more ...string) []string { return append(slices.Clone(goodGet), more...) }

// What is malformed in HTTP/2's own way reaches no server, and does not spoil
// the connection or the process for the next.
func TestHTTP2Malformed(t *testing.T) {
	for name, fields := range map[string][]string{
		"two authorities":      good(":authority: other.com"),
		"two paths":            good(":path: /other"),
		"two methods":          good(":method: POST"),
		"pseudo field behind":  {":method: GET", ":scheme: https", ":authority: example.com", "x: y", ":path: /"},
		"pseudo field unknown": good(":origin: other.com"),
		"status":               good(":status: 200"),
		"upper case":           good("X-Upper: 1"),
		"upper case host":      good("Host: other.com"),
		"name with a space":    good("x y: 1"),
		"name with a colon":    good("x:y: 1"),
		"name with CR LF":      good("x\r\nhost: other.com"),
		"name with NUL":        good("x\x00: 1"),
		"value with LF":        good("x: a\nhost: other.com"),
		"value with CR":        good("x: a\rb"),
		"value with NUL":       good("x: a\x00b"),
		"authority with CR LF": {":method: GET", ":scheme: https", ":path: /", ":authority: example.com\r\nx: y"},
		"authority with a tab": {":method: GET", ":scheme: https", ":path: /", ":authority: example.com\t"},
		"authority with space": {":method: GET", ":scheme: https", ":path: /", ":authority: other.com example.com"},
		"authority with slash": {":method: GET", ":scheme: https", ":path: /", ":authority: other.com/example.com"},
		"authority with a '?'": {":method: GET", ":scheme: https", ":path: /", ":authority: other.com?example.com"},
		"empty path":           {":method: GET", ":scheme: https", ":path: ", ":authority: example.com"},
		"no scheme":            {":method: GET", ":path: /", ":authority: example.com"},
		"no method":            {":scheme: https", ":path: /", ":authority: example.com"},
		"path with a space":    {":method: GET", ":scheme: https", ":path: / HTTP/1.1", ":authority: example.com"},
		"keep-alive":           good("keep-alive: 1"),
		"proxy-connection":     good("proxy-connection: x"),
		"upgrade":              good("upgrade: h2c"),
		"te":                   good("te: gzip"),
		"two lengths":          good("content-length: 0", "content-length: 5"),
		"length of no number":  good("content-length: +5"),
	} {
		w := newSecureWorld(t, "example.com other.com")
		var s seen
		w.serveTLS("example.com", "198.51.100.1", 443, s.ServeHTTP)
		c := w.http2(t)
		if got := c.outcome(c.open(true, fields...)); got == "200" {
			t.Errorf("%s: %s, the server got %q", name, got, s.all())
		}
		if got := s.all(); len(got) > 0 {
			t.Errorf("%s: the server got %q", name, got)
		}
		c = w.http2(t)
		if got := c.outcome(c.open(true, goodGet...)); got != "200" {
			t.Errorf("%s: a good request then: %s", name, got)
		}
	}
}

// Each request of a connection stands for itself, whatever those before and
// beside it were for: a client that coalesces is told to open another.
func TestHTTP2Coalescing(t *testing.T) {
	w := newSecureWorld(t, "example.com other.com")
	var s seen
	w.serveTLS("example.com", "198.51.100.1", 443, s.ServeHTTP)
	c := w.http2(t)
	other := []string{":method: GET", ":scheme: https", ":path: /o", ":authority: other.com"}
	for range 3 {
		a, b, d := c.open(true, goodGet...), c.open(true, other...), c.open(true, good("host: other.com")...)
		outcomes := map[uint32]string{}
		for len(outcomes) < 3 {
			frame, err := c.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch f := frame.(type) {
			case *http2.MetaHeadersFrame:
				outcomes[f.StreamID] = f.PseudoValue("status")
			case *http2.RSTStreamFrame:
				outcomes[f.StreamID] = "reset"
			case *http2.GoAwayFrame:
				t.Fatal("go away")
			}
		}
		if outcomes[a] != "200" || outcomes[b] != "421" || outcomes[d] != "421" {
			t.Errorf("%v", outcomes)
		}
	}
	if got := s.all(); len(got) != 3 || slices.ContainsFunc(got, func(l string) bool { return !strings.HasPrefix(l, "GET example.com / ") }) {
		t.Errorf("the server got %q", got)
	}
}

// A body that is not as long as it says never passes for whole.
func TestHTTP2Length(t *testing.T) {
	for _, test := range []struct {
		length, body string
		whole        bool
	}{{"5", "hello", true}, {"3", "hello", false}, {"9", "hello", false}} {
		for _, server := range []string{"h2", "http/1.1"} {
			w := newSecureWorld(t, "example.com")
			var s seen
			w.serveTLS("example.com", "198.51.100.1", 443, s.ServeHTTP, server, "h2")
			c := w.http2(t)
			id := c.open(false, ":method: POST", ":scheme: https", ":path: /", ":authority: example.com", "content-length: "+test.length)
			c.WriteData(id, true, []byte(test.body))
			got := c.outcome(id)
			if (got == "200") != test.whole {
				t.Errorf("%+v: %s, the server got %q", test, got, s.all())
			}
			for _, line := range s.all() {
				if !test.whole && !strings.HasSuffix(line, " cut") {
					t.Errorf("%+v: the server got %q", test, line)
				}
			}
		}
	}
}

// Trailers carry nothing that a head would be read for.
func TestHTTP2Trailers(t *testing.T) {
	for name, test := range map[string]struct{ field, want string }{
		"good":             {"x-sum: 1", `POST example.com / "body" trailers [X-Sum]`},
		"host":             {"host: other.com", ""},
		"length":           {"content-length: 5", ""},
		"encoding":         {"transfer-encoding: chunked", ""},
		"pseudo field":     {":path: /other", ""},
		"authority":        {":authority: other.com", ""},
		"line break":       {"x: a\r\nhost: other.com", ""},
		"method override":  {"x-http-method-override: DELETE", `POST example.com / "body" trailers [X-Http-Method-Override]`},
		"undeclared trick": {"x-forwarded-host: other.com", `POST example.com / "body" trailers [X-Forwarded-Host]`},
	} {
		w := newSecureWorld(t, "example.com")
		var s seen
		w.serveTLS("example.com", "198.51.100.1", 443, s.ServeHTTP)
		c := w.http2(t)
		declared, _, _ := strings.Cut(test.field[1:], ": ")
		head := []string{":method: POST", ":scheme: https", ":path: /", ":authority: example.com"}
		if test.want != "" {
			head = append(head, "trailer: "+test.field[:1]+declared)
		}
		id := c.open(false, head...)
		c.WriteData(id, false, []byte("body"))
		c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.fields(test.field), EndStream: true, EndHeaders: true})
		c.outcome(id)
		for _, line := range s.all() {
			bare := `POST example.com / "body"`
			if line != test.want && line != bare && line != `POST example.com / "body" cut` && line != `POST example.com / "" cut` {
				t.Errorf("%s: the server got %s", name, line)
			}
		}
	}
}
