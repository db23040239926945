package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"srun/proxy/internal/relay"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Config{}).cancel()
	}
}

func BenchmarkDecide(b *testing.B) {
	s := New(Config{Domains: rules(b, "example.com *.wild.test", "*.evil.test")})
	target := hostPort(b, "example.com:443")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.decide.admit(context.Background(), target, nameDoor{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDNS(b *testing.B) {
	s := New(Config{Domains: rules(b, "example.com", "")})
	query := dnsQuery(b, "example.com.", 1, true)
	b.ReportAllocs()
	for b.Loop() {
		s.dns.answer(query, false)
	}
}

// BenchmarkConnect is one CONNECT and a byte each way.
func BenchmarkConnect(b *testing.B) {
	w := newWorld(b, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	for b.Loop() {
		conn := w.tunnel("example.com:7")
		conn.Write([]byte{0})
		readN(conn, 1)
		conn.Close()
	}
}

// BenchmarkForward is one plain request on a kept connection.
func BenchmarkForward(b *testing.B) {
	w := newWorld(b, "example.com", "")
	w.serve("example.com", "198.51.100.1", 80, answerer)
	conn := w.open()
	conn.SetDeadline(time.Time{})
	request := []byte("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nUser-Agent: b\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		conn.Write(request)
		readUntil(conn, "ok")
	}
}

// answerer is the cheapest HTTP server there is.
func answerer(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

// BenchmarkThroughput moves 1 GiB an operation through a tunnel, beside the same
// without one.
func BenchmarkThroughput(b *testing.B) {
	const size = 1 << 30
	w := newWorld(b, "example.com", "")
	l := listen(b)
	w.place("example.com", "198.51.100.1", 7, l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				conn.Read(make([]byte, 1))
				b := make([]byte, 256<<10)
				for left := size; left > 0; left -= len(b) {
					conn.Write(b)
				}
				conn.Close()
			}()
		}
	}()
	for name, open := range map[string]func() net.Conn{
		"direct": func() net.Conn { c, _ := net.Dial("tcp", l.Addr().String()); return c },
		"tunnel": func() net.Conn { return w.tunnel("example.com:7") },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			buf := make([]byte, 256<<10)
			for b.Loop() {
				conn := open()
				conn.SetDeadline(time.Time{})
				conn.Write([]byte{0})
				n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, buf)
				if n != size {
					b.Fatal(n, err)
				}
				conn.Close()
			}
		})
	}
}

// TestIdleTunnels holds the promise on memory: 32 KiB for an idle tunnel, all
// of the server's side counted, and no pipes. What the test's own two ends of a
// tunnel take is measured on connections without one.
func TestIdleTunnels(t *testing.T) {
	count := 2000
	if testing.Short() {
		count = 200
	}
	greet := func(conn net.Conn) {
		conn.Read(make([]byte, 16))
		conn.Write([]byte{0})
	}
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, greet)
	direct := listenAndServe(t, greet)
	ends, held := idleMemory(count, func() net.Conn {
		conn, err := net.Dial("tcp", direct)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	})
	for _, conn := range held {
		conn.Close()
	}
	all, held := idleMemory(count, func() net.Conn { return w.tunnel("example.com:7") })
	t.Logf("%.1f KiB for each of %d tunnels, and %.1f for the test's own ends of one", all-ends, count, ends)
	if all-ends > idleLimit {
		t.Errorf("%.1f KiB for each idle tunnel", all-ends)
	}
	if n := relay.PipesInUse(); n > 0 {
		t.Errorf("%d pipes in use", n)
	}
	for _, conn := range held {
		conn.Close()
	}
	waitSessions(t, w.s, 0)
}

func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// Beyond the limit a connection is told so, and none waits.
func TestTooManyConnections(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	w.s.registry.SetLimit(3)
	var held []net.Conn
	for range 3 {
		held = append(held, w.tunnel("example.com:7"))
	}
	_, resp := w.connect("example.com:7")
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 503 || string(body) != "srun: too many connections at once\n" {
		t.Errorf("%s %s", resp.Status, body)
	}
	socks := w.open()
	socks.Write([]byte{5, 1, 0})
	if got := readUntil(socks, ""); got != "" && got != "\x05\xff" {
		t.Errorf("socks: %q", got)
	}
	held[0].Close()
	waitSessions(t, w.s, 2)
	w.tunnel("example.com:7")
}

// Requests while thousands of tunnels are open stay quick and correct.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, r.URL.Path) })
	done := make(chan string, 50)
	for i := range 50 {
		go func() {
			path := fmt.Sprint("/", i)
			resp, err := w.client().Get("http://example.com" + path)
			if err != nil {
				done <- err.Error()
				return
			}
			defer resp.Body.Close()
			if b, _ := io.ReadAll(resp.Body); string(b) != path {
				done <- string(b)
				return
			}
			done <- ""
		}()
	}
	for range 50 {
		if e := <-done; e != "" {
			t.Error(e)
		}
	}
}

// idleMemory opens connections that say hello once, and returns them and how
// many KiB each of them takes.
func idleMemory(count int, open func() net.Conn) (each float64, held []net.Conn) {
	hello := make([]byte, 1)
	before := memory()
	for range count {
		conn := open()
		conn.Write(hello)
		readN(conn, 1)
		held = append(held, conn)
	}
	return float64(memory()-before) / float64(count) / 1024, held
}

// listenAndServe serves on a port of loopback until the test ends, as world.serve
// does.
func listenAndServe(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().String()
}
