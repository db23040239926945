package proxy

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"srun/proxy/internal/http1"
)

func TestConnect(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	conn := w.tunnel("example.com:7")
	io.WriteString(conn, "\x00ping")
	if got := readUntil(conn, "ping"); got != "\x00ping" {
		t.Errorf("echo: %q", got)
	}
	closeWrite(conn)
	if rest := readUntil(conn, ""); rest != "" {
		t.Errorf("after half-close: %q", rest)
	}
	if got := w.denied(); len(got) > 0 {
		t.Errorf("denials: %v", got)
	}
}

func TestConnectRefused(t *testing.T) {
	w := newWorld(t, "example.com *.wild.test 192.0.2.9", "*.evil.com bad.test", func(c *Config) {
		c.Peer, c.Line = peer, lineAllow
	})
	w.names["internal.wild.test"] = []string{"10.1.2.3"}
	w.names["rebind.wild.test"] = []string{"127.0.0.1", "::1"}
	for _, test := range []struct{ target, code, line string }{
		{"other.com:443", CodeAllowlist, "denied network other.com:443 (not in allowedDomains); allow domain other.com"},
		{"a.evil.com:443", CodeDenylist, "denied network a.evil.com:443 (denied by rule *.evil.com)"},
		{"rebind.wild.test:80", CodeAddress, "denied network rebind.wild.test:80 (resolves to loopback address 127.0.0.1)"},
		{"internal.wild.test:80", CodeAddress, "denied network internal.wild.test:80 (resolves to private address 10.1.2.3, and only the wildcard *.wild.test allows the name); allow domain internal.wild.test"},
		{"169.254.169.254:80", CodeAddress, "denied network 169.254.169.254:80 (cloud metadata address 169.254.169.254)"},
		{"192.0.2.10:80", CodeAllowlist, "denied network 192.0.2.10:80 (not in allowedDomains); allow domain 192.0.2.10"},
		{"[2001:db8::1]:80", CodeAllowlist, "denied network [2001:db8::1]:80 (not in allowedDomains); allow domain 2001:db8::1"},
		{"localhost:5432", CodeAllowlist, "denied network localhost:5432 (not in allowedDomains); allow domain localhost:5432"},
	} {
		before := len(w.denied())
		_, resp := w.connect(test.target)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 403 || resp.Header.Get("X-Proxy-Error") != test.code {
			t.Errorf("%s: %s %s", test.target, resp.Status, resp.Header.Get("X-Proxy-Error"))
		}
		if string(body) != "srun: "+test.line+"\n" {
			t.Errorf("%s:\n got %s\nwant srun: %s", test.target, body, test.line)
		}
		got := w.denied()[before:]
		if len(got) != 1 || lineAllow(got[0].Told()) != test.line || got[0].Code != test.code || got[0].PID != 42 {
			t.Errorf("%s: reported %+v", test.target, got)
		}
	}
	if d := w.dialled(); len(d) > 0 {
		t.Errorf("dialled %v", d)
	}
	if got := w.looked(); !slices.Equal(got, []string{"rebind.wild.test", "internal.wild.test"}) {
		t.Errorf("resolved %v: a denied name never is", got)
	}
}

// Some clients say the proxy's own address as Host, and the target counts.
func TestConnectWithTheProxysHost(t *testing.T) {
	w := newWorld(t, "ok.test", "")
	for host, want := range map[string]string{"127.0.0.1:61080": "200", "localhost:3128": "200", "[::1]:1": "200", "ok.test:443": "200", "other.test:443": "403", "192.0.2.1:61080": "403"} {
		got := w.say("CONNECT ok.test:443 HTTP/1.1\r\nHost: "+host+"\r\n\r\n", "")
		if !strings.HasPrefix(got, "HTTP/1.1 "+want) && !(want == "200" && strings.HasPrefix(got, "HTTP/1.1 502")) {
			t.Errorf("%s: %q", host, got)
		}
	}
}

// Authorities that net/http takes and that some other parser reads differently.
func TestConnectAuthority(t *testing.T) {
	w := newWorld(t, "* 127.0.0.1 [::1]", "")
	for _, target := range []string{
		"example.com", "example.com:", "user@example.com:443", "user:pw@example.com:443", "example.com:0443",
		"example.com:0", "example.com:70000", "example.com:-1", "example.com:+443", "0x7f.1:443", "127.1:443",
		"2130706433:443", "017700000001:443", "[::1%25lo]:443", "[::1%lo]:443", "::1:443", "[::1:443", ":443",
		"exa\x00mple.com:443", "exa\x1bmple.com:443", "http://example.com:443", "example.com:443/", "/", "*",
		"ex%61mple.com:443", "example.com:443#x", "example..com:443",
	} {
		before := len(w.denied())
		got := w.say("CONNECT "+target+" HTTP/1.1\r\nHost: example.com\r\n\r\n", "")
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("%q: %q", target, got)
		}
		for _, d := range w.denied()[before:] {
			if strings.ContainsAny(d.Line(), "\x00\x1b\r\n") {
				t.Errorf("%q: line %q", target, d.Line())
			}
		}
	}
	if d := w.dialled(); len(d) > 0 {
		t.Errorf("dialled %v", d)
	}
}

func TestConnectSaysTwoThings(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	for name, raw := range map[string]string{
		"another Host":  "CONNECT example.com:7 HTTP/1.1\r\nHost: other.com:7\r\n\r\n",
		"a body":        "CONNECT example.com:7 HTTP/1.1\r\nHost: example.com:7\r\nContent-Length: 4\r\n\r\nabcd",
		"a chunked one": "CONNECT example.com:7 HTTP/1.1\r\nHost: example.com:7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		if got := w.say(raw, ""); !strings.HasPrefix(got, "HTTP/1.1 40") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if len(w.dialled()) > 0 {
		t.Errorf("dialled %v", w.dialled())
	}
	control := w.say("CONNECT example.com:7 HTTP/1.0\r\n\r\n", "\r\n\r\n")
	if !strings.HasPrefix(control, "HTTP/1.1 200 ") {
		t.Errorf("control: %q", control)
	}
}

// What follows a CONNECT is the tunnel's: a second CONNECT is bytes, or HTTP to
// the same name, never another tunnel.
func TestSecondConnect(t *testing.T) {
	w := newWorld(t, "example.com other.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	w.serve("other.com", "198.51.100.2", 7, echo)
	conn := w.tunnel("example.com:7")
	io.WriteString(conn, "CONNECT other.com:7 HTTP/1.1\r\nHost: other.com:7\r\n\r\n")
	if got := readUntil(conn, ""); !strings.HasPrefix(got, "HTTP/1.1 405 ") {
		t.Errorf("got %q", got)
	}
	if d := w.dialled(); len(d) != 1 {
		t.Errorf("dialled %v", d)
	}
}

func TestConnectUnreachable(t *testing.T) {
	w := newWorld(t, "example.com nosuch.test", "")
	w.names["example.com"] = []string{"198.51.100.9"}
	for target, text := range map[string]string{
		"example.com:1": "connection refused",
		"nosuch.test:1": "resolve nosuch.test: no such name",
	} {
		_, resp := w.connect(target)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 502 || !strings.Contains(string(body), text) || !strings.HasPrefix(string(body), "srun: ") {
			t.Errorf("%s: %s %s", target, resp.Status, body)
		}
	}
	if len(w.denied()) > 0 {
		t.Error("an unreachable server is no denial")
	}
}

func TestMalformedProxyRequests(t *testing.T) {
	w := newWorld(t, "*", "")
	long := "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nX: " + strings.Repeat("a", http1.MaxHead) + "\r\n\r\n"
	for raw, status := range map[string]string{
		long:                                "431",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n": "400",
		"GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n": "400",
		"GET ftp://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n":   "400",
		"GET http://example.com/ HTTP/2.0\r\nHost: example.com\r\n\r\n":  "505",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                               "505",
		"GARBAGE\r\n\r\n":                                                "400",
		"\x16\x03\x01\x00\x05hello\r\n":                                  "400",
	} {
		start := time.Now()
		if got := w.say(raw, ""); !strings.HasPrefix(got, "HTTP/1.1 "+status+" ") || time.Since(start) > time.Second {
			t.Errorf("%.60q: %.80q, want %s", raw, got, status)
		}
	}
}

// A client that stops in the middle leaves nothing behind.
func TestClientGoesAway(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	for _, part := range []string{"", "G", "CONNECT example.com:7 HT", "CONNECT example.com:7 HTTP/1.1\r\nHost:", "\x05", "\x05\x01\x00\x05\x01\x00\x03\x0bexam"} {
		conn := w.open()
		io.WriteString(conn, part)
		conn.Close()
	}
	waitSessions(t, w.s, 0)
}

func waitSessions(t testing.TB, s *Server, want int) {
	t.Helper()
	n := 0
	for range 200 {
		if n = s.registry.Served(); n == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d sessions, want %d", n, want)
}
