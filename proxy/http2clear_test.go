package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/http2"
)

// serveClear puts a server of HTTP/2 without TLS behind "name:port".
func (w *world) serveClear(name, addr string, port int, handle http.HandlerFunc) {
	l := listen(w.t)
	w.place(name, addr, port, l.Addr().String())
	server := &http.Server{Handler: handle, Protocols: onlyClear()}
	go server.Serve(l)
	w.t.Cleanup(func() { server.Close() })
}

func onlyClear() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// clearClient speaks HTTP/2 without TLS on connections that open makes.
func clearClient(t testing.TB, open func() net.Conn) *http.Client {
	transport := &http.Transport{Protocols: onlyClear(), DialContext: func(context.Context, string, string) (net.Conn, error) {
		return open(), nil
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// Each stream is held to the name and to the rules, and one that is refused does not
// end the others.
func TestClearHTTP2(t *testing.T) {
	w := newWorld(t, "front.test", "", requestRules(t, "deny front.test DELETE", "deny front.test GET /secret"))
	var s seen
	w.serveClear("front.test", "198.51.100.1", 4317, func(rw http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(rw, r)
		io.WriteString(rw, r.Proto)
	})
	w.dns("front.test.", dnsmessage.TypeA)
	for way, open := range map[string]func() net.Conn{
		"CONNECT":     func() net.Conn { return w.tunnel("front.test:4317") },
		"transparent": func() net.Conn { return w.transparent("198.18.0.16:4317") },
	} {
		c := clearClient(t, open)
		before := len(s.all())
		for _, test := range []struct {
			method, path, host string
			status             int
			code               string
		}{
			{"POST", "/a?b", "front.test:4317", 200, ""},
			{"POST", "/", "front.test", 200, ""},
			{"GET", "/", "evil.test", 403, CodeSNIMismatch},
			{"GET", "/", "evil.test:4317", 403, CodeSNIMismatch},
			{"GET", "/", "front.test:80", 403, CodeSNIMismatch},
			{"DELETE", "/", "front.test:4317", 403, CodeMethodPolicy},
			{"GET", "/secret", "front.test:4317", 403, CodeMethodPolicy},
			{"GET", "/other", "front.test:4317", 200, ""},
		} {
			req, _ := http.NewRequest(test.method, "http://front.test:4317"+test.path, strings.NewReader("body"))
			req.Host = test.host
			resp, err := c.Do(req)
			if err != nil {
				t.Fatalf("%s, %+v: %v", way, test, err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != test.status || resp.Header.Get("X-Proxy-Error") != test.code || resp.ProtoMajor != 2 {
				t.Errorf("%s, %+v: %s %v %s", way, test, resp.Status, resp.Header, body)
			}
		}
		want := []string{`POST front.test:4317 /a?b "body"`, `POST front.test / "body"`, `GET front.test:4317 /other "body"`}
		if got := s.all()[before:]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: the server got %q", way, got)
		}
	}
	w.wantDenials(10)
}

// A stream goes both ways at once, with trailers, and more than any window holds.
func TestClearHTTP2Streams(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serveClear("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "Grpc-Status")
		rw.WriteHeader(200)
		flush := http.NewResponseController(rw)
		flush.Flush()
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			rw.Write(buf[:n])
			flush.Flush()
			if err != nil {
				break
			}
		}
		rw.Header().Set("Grpc-Status", "0 "+r.Trailer.Get("X-Sum"))
	})
	c := clearClient(t, func() net.Conn { return w.tunnel("front.test:80") })
	said, say := io.Pipe()
	req, _ := http.NewRequest("POST", "http://front.test/", said)
	req.Trailer = http.Header{"X-Sum": nil}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		io.WriteString(say, "ping")
		if got := readN(resp.Body, 4); string(got) != "ping" {
			t.Fatalf("%q", got)
		}
	}
	const size = 8 << 20
	go func() {
		io.Copy(say, io.LimitReader(&counter{}, size))
		req.Trailer.Set("X-Sum", "77")
		say.Close()
	}()
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if got := resp.Trailer.Get("Grpc-Status"); got != "0 77" {
		t.Errorf("trailer %q", got)
	}
}

// clearServer answers each request in the clear, and says its SETTINGS when it likes.
func clearServer(w *world, first bool, answer func(f *http2.Framer, id uint32)) {
	w.serve("front.test", "198.51.100.1", 80, func(conn net.Conn) {
		defer conn.Close()
		f := http2.NewFramer(conn, conn)
		if first {
			f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 7})
		}
		if string(readN(conn, len(http2.ClientPreface))) != http2.ClientPreface {
			return
		}
		if !first {
			f.WriteSettings()
		}
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := frame.(*http2.HeadersFrame); ok {
				answer(f, h.StreamID)
			}
		}
	})
}

var clearGet = []string{":method: GET", ":scheme: http", ":path: /", ":authority: front.test"}

// A server may be first with its SETTINGS, and its streams are checked all the same.
func TestClearHTTP2ServerFirst(t *testing.T) {
	for _, first := range []bool{true, false} {
		w := newWorld(t, "front.test", "")
		clearServer(w, first, func(f *http2.Framer, id uint32) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status: 204"), EndStream: true, EndHeaders: true})
		})
		for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
			conn := w.tunnel("front.test:80")
			time.Sleep(wait)
			c := speakHTTP2(t, conn)
			if got := c.outcome(c.open(true, clearGet...)); got != "204" {
				t.Errorf("server first %v: %s", first, got)
			}
			evil := append(clearGet[:3:3], ":authority: evil.test")
			if got := c.outcome(c.open(true, evil...)); got != "403" {
				t.Errorf("server first %v, another host: %s", first, got)
			}
			if got := c.outcome(c.open(true, ":method: CONNECT", ":authority: evil.test:443")); got != "405" {
				t.Errorf("server first %v, CONNECT: %s", first, got)
			}
			if got := c.outcome(c.open(true, clearGet...)); got != "204" {
				t.Errorf("server first %v, behind a refusal: %s", first, got)
			}
			conn.Close()
		}
		waitSessions(t, w.s, 0)
	}
}

// A server that goes away behind each answer is dialled anew.
func TestClearHTTP2GoAway(t *testing.T) {
	w := newWorld(t, "front.test", "")
	clearServer(w, true, func(f *http2.Framer, id uint32) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status: 200"), EndStream: true, EndHeaders: true})
		f.WriteGoAway(id, http2.ErrCodeNo, nil)
	})
	c := speakHTTP2(t, w.tunnel("front.test:80"))
	for i := range 3 {
		if got := c.outcome(c.open(true, clearGet...)); got != "200" {
			t.Errorf("request %d: %s", i+1, got)
		}
	}
	if got := len(w.dialled()); got != 3 {
		t.Errorf("dialled %d times", got)
	}
}

// The preface may come in pieces: what of it went out is not said twice.
func TestClearPrefaceInPieces(t *testing.T) {
	w := newWorld(t, "front.test", "")
	clearServer(w, false, func(f *http2.Framer, id uint32) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status: 200"), EndStream: true, EndHeaders: true})
	})
	for _, at := range []int{1, 4, 11, 15, 17} {
		conn := w.tunnel("front.test:80")
		io.WriteString(conn, http2.ClientPreface[:at])
		time.Sleep(20 * time.Millisecond)
		c := speakHTTP2(t, cutConn{conn, new(int), at})
		if got := c.outcome(c.open(true, clearGet...)); got != "200" {
			t.Errorf("cut at %d: %s", at, got)
		}
	}
}

// cutConn leaves out the first bytes that are written.
type cutConn struct {
	net.Conn
	written *int
	cut     int
}

func (c cutConn) Write(b []byte) (int, error) {
	left := min(max(c.cut-*c.written, 0), len(b))
	*c.written += len(b)
	n, err := c.Conn.Write(b[left:])
	return left + n, err
}

// HTTP/2 behind a greeting is no HTTP/2 that can be checked; and what only looks like
// a beginning of it, on either side, passes.
func TestClearHTTP2Oddities(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serve("front.test", "198.51.100.1", 80, func(conn net.Conn) {
		io.WriteString(conn, "hello\n")
		echo(conn)
	})
	w.serve("front.test", "198.51.100.1", 81, func(conn net.Conn) {
		conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
		echo(conn)
	})
	conn := w.tunnel("front.test:80")
	readN(conn, 6)
	io.WriteString(conn, http2.ClientPreface)
	if got := readUntil(conn, ""); got != "" {
		t.Errorf("%q", got)
	}
	w.wantDenials(1)
	for raw, want := range map[string]string{"PRI\n": "hello\nPRI\n", "PRI * HTTP\n": "hello\nPRI * HTTP\n"} {
		conn := w.tunnel("front.test:80")
		io.WriteString(conn, raw)
		if got := readN(conn, len(want)); string(got) != want {
			t.Errorf("%q: %q", raw, got)
		}
	}
	conn = w.tunnel("front.test:81")
	io.WriteString(conn, "\x00x")
	if got := readN(conn, 11); string(got) != "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00x" {
		t.Errorf("% x", got)
	}
	ended := w.tunnel("front.test:81")
	closeWrite(ended)
	if got := readUntil(ended, ""); len(got) != 9 {
		t.Errorf("% x", got)
	}
	w.wantDenials(1)
}

// To an address HTTP/2 is checked where rules speak of it.
func TestClearHTTP2UnderRules(t *testing.T) {
	w := newWorld(t, "198.51.100.1", "", requestRules(t, "allow 198.51.100.1 GET"))
	w.serveClear("", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {})
	c := clearClient(t, func() net.Conn { return w.tunnel("198.51.100.1:80") })
	for method, want := range map[string]int{"GET": 200, "PUT": 403} {
		if resp, _ := ask(t, c, method, "http://198.51.100.1/", ""); resp.StatusCode != want {
			t.Errorf("%s: %s", method, resp.Status)
		}
	}
}

// HTTP/2 leaves through a proxy's tunnel, for it has no other form there.
func TestClearHTTP2BehindProxy(t *testing.T) {
	theirs, port := custom(t, "front.test")
	ours := newWorld(t, "front.test", "", func(c *Config) { c.HTTPProxyPort = port })
	theirs.serveClear("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, r.Proto) })
	behind(ours)
	c := clearClient(t, func() net.Conn { return ours.tunnel("front.test:80") })
	if resp, body := ask(t, c, "GET", "http://front.test/", ""); body != "HTTP/2.0" {
		t.Errorf("%s %s", resp.Status, body)
	}
}
