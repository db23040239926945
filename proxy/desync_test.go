package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a server that keeps what it got, byte for byte, and answers each
// head with an empty response.
type recorder struct {
	mu  sync.Mutex
	got []string
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for {
		conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := conn.Read(buf)
		if n > 0 {
			r.mu.Lock()
			r.got = append(r.got, string(buf[:n]))
			r.mu.Unlock()
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		if err != nil {
			return
		}
	}
}

func (r *recorder) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, "")
}

const (
	inProxy  = "GET http://front.test/"
	inTunnel = "GET /"
)

// Requests that two servers read in two ways. None may reach the server in a
// form that carries a second request or another host, on the proxy port or in
// a tunnel.
func TestDesync(t *testing.T) {
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n"
	for name, rest := range map[string]string{
		"CL and TE":             " HTTP/1.1\r\nHost: front.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"TE and CL":             " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
		"two CL":                " HTTP/1.1\r\nHost: front.test\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + smuggled,
		"CL list":               " HTTP/1.1\r\nHost: front.test\r\nContent-Length: 0, 44\r\n\r\n" + smuggled,
		"CL plus":               " HTTP/1.1\r\nHost: front.test\r\nContent-Length: +4\r\n\r\nabcd",
		"CL negative":           " HTTP/1.1\r\nHost: front.test\r\nContent-Length: -4\r\n\r\nabcd",
		"CL hex":                " HTTP/1.1\r\nHost: front.test\r\nContent-Length: 0x4\r\n\r\nabcd",
		"CL huge":               " HTTP/1.1\r\nHost: front.test\r\nContent-Length: 99999999999999999999\r\n\r\nabcd",
		"TE twice":              " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"TE list":               " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"TE xchunked":           " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
		"TE vertical tab":       " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"TE space before colon": " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"TE in 1.0":             " HTTP/1.0\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"two Hosts":             " HTTP/1.1\r\nHost: front.test\r\nHost: evil.test\r\n\r\n",
		"two Hosts, one odd":    " HTTP/1.1\r\nHost: front.test\r\nhOsT: evil.test\r\n\r\n",
		"no Host":               " HTTP/1.1\r\nX: y\r\n\r\n",
		"Host with space":       " HTTP/1.1\r\nHost : evil.test\r\nHost: front.test\r\n\r\n",
		"folded Host":           " HTTP/1.1\r\nHost: front.test\r\n evil.test\r\n\r\n",
		"folded field":          " HTTP/1.1\r\nHost: front.test\r\nX: a\r\n\tHost: evil.test\r\n\r\n",
		"leading space":         " HTTP/1.1\r\n Host: evil.test\r\nHost: front.test\r\n\r\n",
		"bare LF":               " HTTP/1.1\nHost: front.test\n\n",
		"bare LF in field":      " HTTP/1.1\r\nHost: front.test\r\nX: y\nHost: evil.test\r\n\r\n",
		"bare CR":               " HTTP/1.1\r\nHost: front.test\r\nX: y\rHost: evil.test\r\n\r\n",
		"NUL":                   " HTTP/1.1\r\nHost: front.test\r\nX: y\x00\r\n\r\n",
		"two spaces":            "  HTTP/1.1\r\nHost: front.test\r\n\r\n",
		"tab in line":           "\tHTTP/1.1\r\nHost: front.test\r\n\r\n",
		"extra word":            " x HTTP/1.1\r\nHost: front.test\r\n\r\n",
		"lower-case version":    " http/1.1\r\nHost: front.test\r\n\r\n",
		"version 1.2":           " HTTP/1.2\r\nHost: front.test\r\n\r\n",
		"version 1.10":          " HTTP/1.10\r\nHost: front.test\r\n\r\n",
		"no colon":              " HTTP/1.1\r\nHost: front.test\r\nbroken\r\n\r\n",
		"empty name":            " HTTP/1.1\r\nHost: front.test\r\n: x\r\n\r\n",
		"fragment":              "#http://evil.test/ HTTP/1.1\r\nHost: front.test\r\n\r\nx",
		"chunk size odd":        " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
		"chunk ends in LF":      " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n5\nabcde\n0\n\n",
		"chunk too short":       " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n0\r\n\r\n",
		"trailer folded":        " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n",
	} {
		for _, prefix := range []string{inProxy, inTunnel} {
			if name == "fragment" && prefix == inTunnel {
				continue // an origin server's affair
			}
			var rec recorder
			w := newWorld(t, "front.test", "")
			w.serve("front.test", "198.51.100.1", 80, rec.serve)
			got := w.ask(prefix, rest)
			inBody := strings.HasPrefix(name, "chunk") || strings.HasPrefix(name, "trailer")
			if !inBody && !strings.HasPrefix(got, "HTTP/1.1 4") && !strings.HasPrefix(got, "HTTP/1.1 5") && got != "" {
				t.Errorf("%s, %s…: %.100q", name, prefix, got)
			}
			if saw := rec.all(); strings.Contains(saw, "evil") || strings.Contains(saw, "smuggled") || strings.HasSuffix(saw, "0\r\n\r\n") {
				t.Errorf("%s, %s…: the server saw %q", name, prefix, saw)
			}
			w.s.Close()
		}
	}
}

// ask sends a raw request to the proxy port, or through a tunnel when it is in
// origin form, and returns what came back first.
func (w *world) ask(prefix, rest string) string {
	conn := w.open()
	if prefix == inTunnel {
		conn = w.tunnel("front.test:80")
	}
	io.WriteString(conn, prefix+rest)
	return readUntil(conn, "\r\n\r\n")
}

// Requests that are odd and still mean one thing.
func TestNoDesync(t *testing.T) {
	for name, rest := range map[string]string{
		"plain":            " HTTP/1.1\r\nHost: front.test\r\n\r\n",
		"odd case":         " HTTP/1.1\r\nhOST:front.test\r\n\r\n",
		"chunked":          " HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: Chunked\r\n\r\n5;ext=1\r\nabcde\r\n0\r\nX: y\r\n\r\n",
		"Connection: Host": " HTTP/1.1\r\nHost: front.test\r\nConnection: Host, close, Content-Length\r\nContent-Length: 2\r\n\r\nab",
		"latin-1":          " HTTP/1.1\r\nHost: front.test\r\nX: caf\xe9\r\n\r\n",
		"1.0":              " HTTP/1.0\r\nHost: front.test\r\n\r\n",
		"empty value":      " HTTP/1.1\r\nHost: front.test\r\nX:\r\n\r\n",
	} {
		for _, prefix := range []string{inProxy, inTunnel} {
			var rec recorder
			w := newWorld(t, "front.test", "")
			w.serve("front.test", "198.51.100.1", 80, rec.serve)
			if got := w.ask(prefix, rest); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
				t.Errorf("%s, %s…: %.100q", name, prefix, got)
			}
			saw := rec.all()
			req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(saw)))
			if err != nil || req.Host != "front.test" || req.RequestURI != "/" {
				t.Errorf("%s, %s…: the server saw %q", name, prefix, saw)
			}
			if name == "Connection: Host" && !strings.HasSuffix(saw, "Content-Length: 2\r\n\r\nab") {
				t.Errorf("%s: the server saw %q", name, saw)
			}
			w.s.Close()
		}
	}
}

// Pipelined requests are answered in order, each for the host it names.
func TestPipelining(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serveHTTP("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, r.URL.Path) })
	one := func(host, path string) string {
		return "GET http://" + host + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	}
	conn := w.open()
	io.WriteString(conn, one("front.test", "/a")+one("evil.test", "/b")+one("front.test", "/c"))
	br := bufio.NewReader(conn)
	for _, want := range []string{"/a", "srun: denied", "/c"} {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); !strings.HasPrefix(string(body), want) {
			t.Errorf("%s: %s", want, body)
		}
	}
}
