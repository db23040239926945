package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// What a client wrote before it was gone arrives, with an orderly end, though
// the proxy ends at once; and its end does not wait for a server's.
func TestDrain(t *testing.T) {
	const plenty = 1 << 20
	for way, open := range ways(t) {
		w := newWorld(t, "example.com", "")
		got := make(chan int64, 1)
		ending, over := make(chan struct{}), make(chan struct{})
		serve := func(conn net.Conn) {
			defer conn.Close()
			<-ending
			n, err := io.Copy(io.Discard, conn)
			if err != nil {
				t.Errorf("%s: %v", way, err)
			}
			got <- n
			<-over // it never ends its own half in time
		}
		w.serve("example.com", "198.51.100.1", 7, serve)
		w.serve("", "127.0.0.1", 7, serve)
		conn := open(w)
		conn.Write(make([]byte, plenty))
		conn.Close()
		begun := time.Now()
		close(ending)
		w.s.Drain(nil)
		w.s.Close()
		if took := time.Since(begun); took > lingerTimeout {
			t.Errorf("%s: it took %v", way, took)
		}
		if n := <-got; n != plenty {
			t.Errorf("%s: %d bytes arrived", way, n)
		}
		close(over)
	}
}

// A connection that waits to be accepted counts, and so does a request.
func TestDrainEarlyAndLate(t *testing.T) {
	w := newWorld(t, "example.com", "")
	got := make(chan string, 1)
	w.serveHTTP("example.com", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- string(b)
	})
	for range 20 {
		conn := w.open()
		io.WriteString(conn, "POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello")
		closeWrite(conn)
		w.s.Drain(nil)
		select {
		case body := <-got:
			if body != "hello" {
				t.Errorf("%q", body)
			}
		case <-time.After(time.Second):
			t.Fatal("the request did not arrive")
		}
		conn.Close()
	}
}

// A server that takes nothing holds the end up for a time, one that is not
// reached holds it up only if there is something for it.
func TestDrainEnds(t *testing.T) {
	w := newWorld(t, "example.com nowhere.test", "")
	over := make(chan bool)
	defer close(over)
	w.serve("example.com", "198.51.100.1", 7, func(conn net.Conn) { <-over; conn.Close() })
	w.names["nowhere.test"] = []string{"198.51.100.2"}
	dial, reached := w.s.dials.out.Dial, make(chan struct{})
	w.s.dials.out.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "198.51.100.2:7" {
			close(reached)
			<-ctx.Done()
		}
		return dial(ctx, network, addr)
	}
	nowhere := w.open()
	io.WriteString(nowhere, "CONNECT nowhere.test:7 HTTP/1.1\r\nHost: nowhere.test:7\r\n\r\n")
	<-reached
	nowhere.Close()
	begun := time.Now()
	w.s.Drain(nil)
	if took := time.Since(begun); took > 100*time.Millisecond {
		t.Errorf("not reached: %v", took)
	}
	stuck := w.tunnel("example.com:7")
	plenty := make([]byte, 32<<20)
	stuck.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := stuck.Write(plenty); n == 0 || err == nil {
		t.Fatal(n, err)
	}
	stuck.Close()
	begun = time.Now()
	w.s.Drain(nil)
	if took := time.Since(begun); took < 2*time.Second || took > 2*time.Second+time.Second {
		t.Errorf("stuck: %v", took)
	}
}
