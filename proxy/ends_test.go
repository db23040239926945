package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
	"srun/proxy/internal/socks5"
)

// ways opens a connection to example.com:7 in every way there is, and to
// localhost:7 where the way knows no other.
func ways(t *testing.T) map[string]func(*world) net.Conn {
	return map[string]func(*world) net.Conn{
		"connect": func(w *world) net.Conn { return w.tunnel("example.com:7") },
		"socks5": func(w *world) net.Conn {
			conn := w.open()
			conn.Write(socksRequest(socks5.Name, "example.com", 7))
			if got := readN(conn, 12); len(got) < 12 || got[3] != socks5.OK {
				t.Fatalf("SOCKS: % x", got)
			}
			return conn
		},
		"transparent": func(w *world) net.Conn {
			w.dns("example.com.", dnsmessage.TypeA)
			return w.transparent("198.18.0.16:7")
		},
		"forward": func(w *world) net.Conn {
			l := listen(w.t)
			go w.s.ServeForward(l, 7, "--forward 7", policy.Source{})
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			t.Cleanup(func() { conn.Close() })
			return conn
		},
	}
}

// Each end of each direction comes through as what it was, whichever side ends
// first, whatever was said before, and however the connection came in.
func TestEnds(t *testing.T) {
	const plenty = 300_000
	for _, test := range []struct {
		name   string
		server func(net.Conn) error
		client func(net.Conn) error
	}{
		{"the client ends first, with data",
			func(c net.Conn) error { n, _ := io.Copy(io.Discard, c); fmt.Fprint(c, n); return c.Close() },
			func(c net.Conn) error { c.Write(make([]byte, plenty)); closeWrite(c); return wantAll(c, "300000") }},
		{"the client ends first, without a byte",
			func(c net.Conn) error { n, _ := io.Copy(io.Discard, c); fmt.Fprint(c, n); return c.Close() },
			func(c net.Conn) error { closeWrite(c); return wantAll(c, "0") }},
		{"the server ends first, and goes on reading",
			func(c net.Conn) error { io.WriteString(c, "bye"); closeWrite(c); return wantAll(c, "still here") },
			func(c net.Conn) error {
				err := wantAll(c, "bye")
				time.Sleep(20 * time.Millisecond)
				io.WriteString(c, "still here")
				closeWrite(c)
				return err
			}},
		{"the server ends first, without a byte",
			func(c net.Conn) error { closeWrite(c); return wantAll(c, "\x00late") },
			func(c net.Conn) error {
				err := wantAll(c, "")
				io.WriteString(c, "\x00late")
				closeWrite(c)
				return err
			}},
		{"the client resets",
			func(c net.Conn) error { io.WriteString(c, "x"); return wantReset(c) },
			func(c net.Conn) error { readN(c, 1); reset(c); return nil }},
		{"the client resets after its end",
			func(c net.Conn) error {
				io.Copy(io.Discard, c)
				time.Sleep(20 * time.Millisecond)
				for {
					if _, err := c.Write(make([]byte, plenty)); err != nil {
						return nil // reset, or broken off
					}
				}
			},
			func(c net.Conn) error { c.Write([]byte{0}); closeWrite(c); readN(c, 1); reset(c); return nil }},
		{"the server resets",
			func(c net.Conn) error { readN(c, 1); reset(c); return nil },
			func(c net.Conn) error { c.Write([]byte{0}); return wantReset(c) }},
		{"the server resets before a byte",
			func(c net.Conn) error { time.Sleep(20 * time.Millisecond); reset(c); return nil },
			wantReset},
	} {
		for way, open := range ways(t) {
			t.Run(way+"/"+test.name, func(t *testing.T) {
				w := newWorld(t, "example.com", "")
				ended := make(chan error, 1)
				serve := func(conn net.Conn) {
					defer conn.Close()
					conn.SetDeadline(time.Now().Add(10 * time.Second))
					ended <- test.server(conn)
				}
				w.serve("example.com", "198.51.100.1", 7, serve)
				w.serve("", "127.0.0.1", 7, serve)
				if err := test.client(open(w)); err != nil {
					t.Errorf("the client: %v", err)
				}
				if err := <-ended; err != nil {
					t.Errorf("the server: %v", err)
				}
				waitSessions(t, w.s, 0)
			})
		}
	}
}

func wantAll(c net.Conn, want string) error {
	got, err := io.ReadAll(c)
	if err != nil || string(got) != want {
		return fmt.Errorf("read %q, %v; want %q", got, err, want)
	}
	return nil
}

func wantReset(c net.Conn) error {
	if n, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("%d bytes, then %v; want a reset", n, err)
	}
	return nil
}
