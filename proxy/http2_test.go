package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawHTTP2 sends one request as it is given, "name: value" each, and returns
// the status, or how the stream or connection ended.
func rawHTTP2(t *testing.T, w *secureWorld, fields ...string) string {
	t.Helper()
	conn, err := w.dialTLS("example.com:443", "example.com", "h2")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte(http2.ClientPreface))
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range fields {
		i := 1 + strings.Index(f[1:], ": ")
		enc.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]})
	}
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			return "go away"
		}
	}
}

// What one request names in two ways, or hides in another, reaches no server.
func TestHTTP2Smuggling(t *testing.T) {
	get := []string{":method: GET", ":scheme: https", ":path: /", ":authority: example.com"}
	with := func(more ...string) []string { return append(get[:4:4], more...) }
	for _, test := range []struct {
		name   string
		fields []string
		want   string // statuses or endings, any of them
	}{
		{"good", get, "200"},
		{"host as well", with("host: example.com"), "200"},
		{"another host", with("host: other.com"), "421 400 reset"},
		{"two hosts", with("host: example.com", "host: other.com"), "421 400 reset"},
		{"another authority", []string{":method: GET", ":scheme: https", ":path: /", ":authority: other.com"}, "421"},
		{"user", []string{":method: GET", ":scheme: https", ":path: /", ":authority: other.com@example.com"}, "421 400 reset"},
		{"no authority", []string{":method: GET", ":scheme: https", ":path: /"}, "421 400 reset"},
		{"host alone", []string{":method: GET", ":scheme: https", ":path: /", "host: example.com"}, "200"},
		{"absolute path", []string{":method: GET", ":scheme: https", ":path: http://other.com/", ":authority: example.com"}, "400 reset"},
		{"no path", []string{":method: GET", ":scheme: https", ":path: x", ":authority: example.com"}, "400 reset"},
		{"CONNECT", []string{":method: CONNECT", ":authority: example.com"}, "405"},
		{"extended CONNECT", []string{":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /", ":authority: example.com"}, "405 400 reset"},
		{"transfer-encoding", with("transfer-encoding: chunked"), "400 reset"},
		{"connection", with("connection: host"), "400 reset"},
		{"line break", with("x: a\r\nhost: other.com"), "400 reset go away"},
		{"method with a space", []string{":method: GET /secret HTTP/1.1", ":scheme: https", ":path: /", ":authority: example.com"}, "400 reset go away"},
		{"path with a break", []string{":method: GET", ":scheme: https", ":path: / HTTP/1.1\r\nhost: other.com", ":authority: example.com"}, "400 reset go away"},
		{"POST", []string{":method: POST", ":scheme: https", ":path: /", ":authority: example.com"}, "403"},
	} {
		w := newSecureWorld(t, "example.com", requestRules(t, "deny example.com POST"))
		var mu sync.Mutex
		seen := ""
		w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen += fmt.Sprintf("%s %s %s;", r.Method, r.Host, r.RequestURI)
			mu.Unlock()
		})
		got := rawHTTP2(t, w, test.fields...)
		if !strings.Contains(" "+test.want+" ", " "+got+" ") {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		mu.Lock()
		if want := map[bool]string{true: "GET example.com /;"}[got == "200"]; seen != want {
			t.Errorf("%s: the server got %q", test.name, seen)
		}
		mu.Unlock()
	}
}

// Through a proxy of the user's own the server is verified all the same.
func TestTerminatedBehindCustomProxy(t *testing.T) {
	theirs, port := custom(t, "example.com")
	ours := newSecureWorld(t, "example.com", func(c *Config) { c.HTTPProxyPort = port })
	ours.serveTLS("example.com", "198.51.100.1", 443, describe)
	theirs.names, theirs.servers = ours.names, ours.servers
	behind(ours.world)
	for _, protocol := range []string{"h2", "http/1.1"} {
		if resp, body := ask(t, ours.client(protocol), "GET", "https://example.com/", ""); resp.StatusCode != 200 {
			t.Errorf("%s: %s %s", protocol, resp.Status, body)
		}
	}
	if len(theirs.dialled()) == 0 {
		t.Error("the custom proxy was passed by")
	}
}

// The log has every request's method, and neither path nor field.
func TestTerminatedAudit(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		log := &logBuffer{}
		w := newSecureWorld(t, "example.com", requestRules(t, "deny example.com DELETE /hush"), func(c *Config) { c.Audit = log })
		w.serveTLS("example.com", "198.51.100.1", 443, describe)
		c := w.client(protocol)
		ask(t, c, "PUT", "https://example.com/hush?hush", "hush", "X-Hush", "hush")
		ask(t, c, "DELETE", "https://example.com/hush?hush", "hush", "X-Hush", "hush")
		lines := log.lines(t, 3)
		if l := lines[1]; l.Event != "request" || l.Method != "PUT" || l.ID != lines[0].ID {
			t.Errorf("%s: %s", protocol, log)
		}
		if l := lines[2]; l.Verdict != "denied" || l.Method != "DELETE" {
			t.Errorf("%s: %s", protocol, log)
		}
		if text := strings.ReplaceAll(log.String(), "deny example.com DELETE /hush", ""); strings.Contains(text, "hush") {
			t.Errorf("%s: %s", protocol, text)
		}
	}
}
