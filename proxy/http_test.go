package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"srun/proxy/internal/http1"
)

// client is an ordinary HTTP client behind the proxy.
func (w *world) client() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: w.proxy})}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestForward(t *testing.T) {
	w := newWorld(t, "example.com", "")
	var seen http.Header
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		fmt.Fprintf(rw, "%s %s %s", r.Method, r.Host, r.RequestURI)
	})
	c := w.client()
	req, _ := http.NewRequest("GET", "http://example.com//a%2fb/../c?q=%20&http://x", nil)
	req.Header.Set("Connection", "X-Private")
	req.Header.Set("X-Private", "1")
	req.Header.Set("Proxy-Authorization", "Basic secret")
	req.Header.Set("X-Public", "2")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "GET example.com //a%2fb/../c?q=%20&http://x" {
		t.Errorf("the server saw %s", body)
	}
	if seen.Get("X-Public") != "2" {
		t.Error("a field was lost")
	}
	for _, name := range []string{"X-Private", "Proxy-Authorization", "Proxy-Connection", "Connection", "Via", "X-Forwarded-For"} {
		if seen.Get(name) != "" {
			t.Errorf("%s reached the server", name)
		}
	}
}

func TestForwardRefused(t *testing.T) {
	w := newWorld(t, "example.com", "bad.test")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "ok") })
	c := w.client()
	for url, code := range map[string]string{
		"http://other.com/":       CodeAllowlist,
		"http://bad.test/":        CodeDenylist,
		"http://sub.example.com/": CodeAllowlist,
		"http://127.0.0.1:22/":    CodeAllowlist,
	} {
		resp, body := get(t, c, url)
		if resp.StatusCode != 403 || resp.Header.Get("X-Proxy-Error") != code || !strings.HasPrefix(body, "srun: denied network ") {
			t.Errorf("%s: %s %s", url, resp.Status, body)
		}
	}
	if _, body := get(t, c, "http://example.com/"); body != "ok" {
		t.Errorf("control: %s", body)
	}
}

// Each request of a kept connection is decided by itself.
func TestKeepAliveDecidesEach(t *testing.T) {
	w := newWorld(t, "a.test b.test", "")
	for i, name := range []string{"a.test", "b.test", "c.test"} {
		w.serveHTTP(name, fmt.Sprintf("198.51.100.%d", i+1), 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, name) })
	}
	conn := w.open()
	br := bufio.NewReader(conn)
	for _, name := range []string{"a.test", "c.test", "a.test", "b.test", "a.test"} {
		fmt.Fprintf(conn, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", name, name)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		body, _ := io.ReadAll(resp.Body)
		if name == "c.test" && resp.StatusCode != 403 || name != "c.test" && string(body) != name {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
	}
}

func TestHostMismatch(t *testing.T) {
	w := newWorld(t, "front.test other.test", "")
	w.serveHTTP("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "host="+r.Host) })
	for host, ok := range map[string]bool{
		"front.test": true, "FRONT.test": true, "front.test.": true, "front.test:80": true,
		"other.test": false, "front.test:81": false, "front.test.other.test": false, "": false,
		"other.test:80": false, "front.test@other.test": false, "front.test, other.test": false,
	} {
		got := w.say("GET http://front.test/ HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n", "")
		if strings.HasPrefix(got, "HTTP/1.1 200 ") != ok {
			t.Errorf("Host %q: %.200q", host, got)
		}
		if !ok && !strings.Contains(got, "X-Proxy-Error: "+CodeSNIMismatch) {
			t.Errorf("Host %q: %.200q", host, got)
		}
	}
}

func TestStreaming(t *testing.T) {
	w := newWorld(t, "example.com", "")
	step := make(chan bool)
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		rw.WriteHeader(200)
		rw.(http.Flusher).Flush()
		for range step {
			io.WriteString(rw, "event\n")
			rw.(http.Flusher).Flush()
		}
	})
	resp, err := w.client().Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(resp.Body)
	for range 3 {
		step <- true
		if line, err := br.ReadString('\n'); line != "event\n" || err != nil {
			t.Fatal(line, err)
		}
	}
	close(step)
	if rest, err := io.ReadAll(br); len(rest) > 0 || err != nil {
		t.Error(rest, err)
	}
}

func TestBodies(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "X-Sum")
		if r.ContentLength >= 0 && r.URL.Path == "/sized" {
			rw.Header().Set("Content-Length", fmt.Sprint(r.ContentLength))
		}
		http.NewResponseController(rw).EnableFullDuplex()
		n, _ := io.Copy(rw, r.Body)
		rw.Header().Set("X-Sum", fmt.Sprint(n, r.Trailer.Get("X-Mine")))
	})
	c := w.client()
	data := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	for _, path := range []string{"/sized", "/chunked"} {
		for _, size := range []int{0, 1, 4095, 70_000, len(data)} {
			var body io.Reader = bytes.NewReader(data[:size])
			if path == "/chunked" {
				body = io.NopCloser(body)
			}
			resp, err := c.Post("http://example.com"+path, "", body)
			if err != nil {
				t.Fatal(path, size, err)
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, data[:size]) {
				t.Errorf("%s %d: got %d bytes, %v", path, size, len(got), err)
			}
			if path == "/chunked" && resp.Trailer.Get("X-Sum") != fmt.Sprint(size) {
				t.Errorf("trailer %v", resp.Trailer)
			}
		}
	}
}

func TestHeadAndFriends(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			rw.WriteHeader(204)
		case "/304":
			rw.Header().Set("Etag", `"x"`)
			rw.WriteHeader(304)
		case "/hints":
			rw.Header().Set("Link", "</x>")
			rw.WriteHeader(103)
			io.WriteString(rw, "done")
		default:
			io.WriteString(rw, "body")
		}
	})
	conn := w.open()
	br := bufio.NewReader(conn)
	for _, test := range []struct{ method, path, want string }{
		{"HEAD", "/", "200 4 "}, {"GET", "/204", "204 0 "}, {"GET", "/304", "304 0 "}, {"HEAD", "/", "200 4 "},
		{"GET", "/hints", "103 0 "}, {"", "", "200 4 done"}, {"GET", "/", "200 4 body"},
	} {
		if test.method != "" {
			fmt.Fprintf(conn, "%s http://example.com%s HTTP/1.1\r\nHost: example.com\r\n\r\n", test.method, test.path)
		}
		resp, err := http.ReadResponse(br, &http.Request{Method: test.method})
		if err != nil {
			t.Fatal(test, err)
		}
		body, _ := io.ReadAll(resp.Body)
		if got := fmt.Sprint(resp.StatusCode, " ", resp.ContentLength, " ", string(body)); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.method, test.path, got, test.want)
		}
	}
}

func TestHTTP10(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, strings.Repeat("x", 10_000)+r.Host)
	})
	got := w.say("GET http://example.com/ HTTP/1.0\r\n\r\n", "")
	if !strings.HasSuffix(got, "xexample.com") || strings.Contains(got, "chunked") {
		t.Errorf("%.100q … %q", got, got[max(0, len(got)-30):])
	}
}

func TestExpectContinue(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			rw.WriteHeader(417)
			return
		}
		io.Copy(rw, r.Body)
	})
	conn := w.open()
	fmt.Fprint(conn, "POST http://example.com/yes HTTP/1.1\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if got := readUntil(conn, "\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 100 ") {
		t.Fatalf("%q", got)
	}
	io.WriteString(conn, "body")
	if got := readUntil(conn, "body"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("%q", got)
	}
	refused := w.say("POST http://example.com/no HTTP/1.1\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "")
	if !strings.HasPrefix(refused, "HTTP/1.1 417 ") {
		t.Errorf("%q", refused)
	}
}

func TestUpgrade(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 80, func(conn net.Conn) {
		defer conn.Close()
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil || req.Header.Get("Upgrade") != "websocket" {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain")
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-K: v\r\n\r\nhello ")
		io.Copy(conn, conn)
	})
	for _, open := range []func() (net.Conn, string){
		func() (net.Conn, string) { return w.open(), "http://example.com" },
		func() (net.Conn, string) { return w.tunnel("example.com:80"), "" },
	} {
		conn, prefix := open()
		fmt.Fprintf(conn, "GET %s/ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly", prefix)
		if got := readUntil(conn, "hello early"); !strings.Contains(got, "X-K: v") || !strings.HasSuffix(got, "hello early") {
			t.Errorf("%q", got)
		}
		io.WriteString(conn, "more")
		if got := readUntil(conn, "more"); got != "more" {
			t.Errorf("%q", got)
		}
		conn.Close()
	}
	waitSessions(t, w.s, 0)
	// h2c would carry requests that nobody checks.
	got := w.say("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n", "plain")
	if !strings.HasSuffix(got, "plain") {
		t.Errorf("h2c: %q", got)
	}
}

// A server that closes a kept connection does not fail the next request.
func TestServerClosesKeptConnection(t *testing.T) {
	w := newWorld(t, "example.com", "")
	var mu sync.Mutex
	accepted := 0
	w.serve("example.com", "198.51.100.1", 80, func(conn net.Conn) {
		mu.Lock()
		accepted++
		mu.Unlock()
		br := bufio.NewReader(conn)
		http.ReadRequest(br)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		conn.Close()
	})
	conn := w.open()
	br := bufio.NewReader(conn)
	for range 3 {
		fmt.Fprint(conn, "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n")
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		io.Copy(io.Discard, resp.Body)
	}
	if accepted != 3 {
		t.Errorf("%d connections", accepted)
	}
}

func TestServerMisbehaves(t *testing.T) {
	w := newWorld(t, "example.com", "")
	var reply string
	w.serve("example.com", "198.51.100.1", 80, func(conn net.Conn) {
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, reply)
		conn.Close()
	})
	for _, test := range []struct{ reply, want string }{
		{"", "HTTP/1.1 502 "},
		{"garbage\r\n\r\n", "HTTP/1.1 502 "},
		{"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", http1.MaxResponseHead) + "\r\n\r\n", "HTTP/1.1 502 "},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "HTTP/1.1 502 "},
		{"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", "HTTP/1.1 502 "},
		{"HTTP/1.1 200 OK\nX: a\n b\n\n", "HTTP/1.1 200 "},
	} {
		reply = test.reply
		got := w.say("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", "")
		if !strings.HasPrefix(got, test.want) || strings.Contains(strings.ReplaceAll(got, "\r\n", ""), "\r") {
			t.Errorf("%.40q: %.200q", test.reply, got)
		}
	}
	// A body cut short must not pass for whole.
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"
	resp, err := w.client().Get("http://example.com/")
	if err == nil {
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("short body passed as %q", body)
		}
	}
}

// A server may answer and close before it has the whole body.
func TestEarlyResponse(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 80, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		http.ReadRequest(br)
		io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
		closeWrite(conn)
		time.Sleep(100 * time.Millisecond)
		conn.Close()
	})
	conn := w.open()
	fmt.Fprint(conn, "POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100000000\r\n\r\n")
	go io.Copy(conn, io.LimitReader(zeros{}, 100_000_000))
	if got := readUntil(conn, "no"); !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("%.100q", got)
	}
	conn.Close()
	waitSessions(t, w.s, 0)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
