package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"srun/proxy/internal/socks5"
)

// corporate is an HTTP proxy that passes CONNECT to 443 alone, and answers what
// comes in absolute form itself.
type corporate struct {
	mu   sync.Mutex
	asks []string
}

func (p *corporate) serve(conn net.Conn) {
	defer conn.Close()
	for br := bufio.NewReader(conn); ; {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.asks = append(p.asks, req.Method+" "+req.RequestURI)
		p.mu.Unlock()
		switch {
		case req.Method != http.MethodConnect:
			fmt.Fprintf(conn, "HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\nok")
		case req.URL.Port() == "443" || req.URL.Hostname() == "lax.test":
			io.WriteString(conn, "HTTP/1.1 200 ok\r\n\r\n")
			io.Copy(conn, br)
			return
		default:
			io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
			return
		}
	}
}

func (p *corporate) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asks)
}

// behindCorporate is a world whose every way out is the corporate proxy.
func behindCorporate(t *testing.T, warn func(string)) (*world, *corporate) {
	up, err := ParseUpstream("proxy.corp:3128", "proxy.corp:3128", "")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "good.test lax.test", "", func(c *Config) { c.Upstream, c.Warn = up, warn })
	p := &corporate{}
	w.serve("proxy.corp", "10.0.0.3", 3128, p.serve)
	return w, p
}

// Plain HTTP to port 80 goes in absolute form however it came, one request after
// the other, each held to the name that was allowed.
func TestPlainHTTPBehindProxy(t *testing.T) {
	w, p := behindCorporate(t, nil)
	socks := func(name string) net.Conn {
		conn := w.open()
		conn.Write(socksRequest(socks5.Name, name, 80))
		readN(conn, 12)
		return conn
	}
	connect := func(name string) net.Conn { return w.tunnel(name + ":80") }
	for name, open := range map[string]func(string) net.Conn{"socks": socks, "connect": connect} {
		conn := open("good.test")
		for _, path := range []string{"/1", "/2"} {
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: good.test\r\n\r\n", path)
			if got := readUntil(conn, "ok"); !strings.HasPrefix(got, "HTTP/1.1 200") {
				t.Errorf("%s %s: %q", name, path, got)
			}
		}
		io.WriteString(conn, "GET /3 HTTP/1.1\r\nHost: lax.test\r\n\r\n")
		if got := readUntil(conn, ""); !strings.Contains(got, CodeSNIMismatch) {
			t.Errorf("%s, another host: %q", name, got)
		}
	}
	want := "[GET http://good.test:80/1 GET http://good.test:80/2 GET http://good.test:80/1 GET http://good.test:80/2]"
	if got := fmt.Sprint(p.asked()); got != want {
		t.Errorf("%s", got)
	}
}

// Anything else on port 80 goes through CONNECT, where the proxy lets it.
func TestOtherProtocolBehindProxy(t *testing.T) {
	lines := make(chan string, 9)
	w, p := behindCorporate(t, func(line string) { lines <- line })
	conn := w.tunnel("lax.test:80")
	io.WriteString(conn, "\x00hi")
	if got := string(readN(conn, 3)); got != "\x00hi" {
		t.Errorf("%q", got)
	}
	for range 2 {
		conn = w.tunnel("good.test:80")
		io.WriteString(conn, "\x00hi")
		if got := readUntil(conn, ""); got != "" {
			t.Errorf("%q", got)
		}
	}
	if got := fmt.Sprint(p.asked()); got != "[CONNECT lax.test:80 CONNECT good.test:80 CONNECT good.test:80]" {
		t.Errorf("%s", got)
	}
	if got := <-lines; got != "good.test:80: the upstream proxy proxy.corp:3128 refused: 403 Forbidden" || len(lines) > 0 {
		t.Errorf("told %q and %d more", got, len(lines))
	}
}
