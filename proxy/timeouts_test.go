package proxy

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"srun/proxy/internal/tlshello"
)

// pipes is a listener on which connections are made within the process: there
// the clock of testing/synctest runs, and no test waits for real.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// inNoTime runs f with a proxy port on which time passes by itself, and one
// server, handle, behind every name.
func inNoTime(t *testing.T, handle func(net.Conn), f func(t *testing.T, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{
			Domains:   rules(t, "example.com", ""),
			HostAddrs: func() ([]netip.Addr, error) { return nil, nil },
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("198.51.100.1")}, nil
			},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go handle(theirs)
				return named{ours}, nil
			},
		})
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		go s.ServeProxy(l)
		defer s.Close()
		f(t, func() net.Conn {
			ours, theirs := net.Pipe()
			l.conns <- theirs
			return ours
		})
	})
}

// named is a pipe with an address, as the log wants.
type named struct{ net.Conn }

func (named) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 7} }

// What a client begins and does not finish ends in its time, with an answer
// where there is one to give.
func TestUnfinished(t *testing.T) {
	const connect = "CONNECT example.com:7 HTTP/1.1\r\nHost: example.com:7\r\n\r\n"
	const get = "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n"
	for _, test := range []struct {
		name, sent, drip string // drip comes a byte a second
		ends             time.Duration
		answer           string
	}{
		{"nothing", "", "", handshakeWait, ""},
		{"a SOCKS greeting", "\x05\x02\x00", "", handshakeWait, ""},
		{"a SOCKS request", "\x05\x01\x00\x05\x01\x00\x03\x0bexam", "", handshakeWait, "\x05\x00"},
		{"a request line", "GET http://exam", "", headTimeout, "HTTP/1.1 408 "},
		{"fields for ever", get, strings.Repeat("X: y\r\n", 100), headTimeout, "HTTP/1.1 408 "},
		{"a TLS hello", connect + "\x16\x03\x01\x02\x00\x01\x00", "", tlshello.Timeout, ""},
		{"a TLS hello for ever", connect + "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", strings.Repeat("\x00", 300), tlshello.Timeout, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inNoTime(t, func(c net.Conn) { io.Copy(io.Discard, c) }, func(t *testing.T, dial func() net.Conn) {
				conn := dial()
				begun, sent := time.Now(), make(chan struct{})
				defer func() { conn.Close(); <-sent }()
				go func() {
					defer close(sent)
					io.WriteString(conn, test.sent)
					for i := range test.drip {
						time.Sleep(time.Second)
						if _, err := conn.Write([]byte{test.drip[i]}); err != nil {
							return
						}
					}
				}()
				got, _ := io.ReadAll(conn)
				if took := time.Since(begun); took < test.ends || took > test.ends+2*lingerTimeout {
					t.Errorf("it ended after %v, want %v", took, test.ends)
				}
				answer := strings.TrimPrefix(string(got), "HTTP/1.1 200 Connection established\r\n\r\n")
				if !strings.HasPrefix(answer, test.answer) || test.answer == "" && answer != "" {
					t.Errorf("answered %q, want %q", answer, test.answer)
				}
			})
		})
	}
}

// A kept connection waits for its next request, and not for ever.
func TestIdleBetweenRequests(t *testing.T) {
	answer := func(c net.Conn) {
		buf := make([]byte, 1000)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
	inNoTime(t, answer, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		for range 3 {
			io.WriteString(conn, "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n")
			if got := readUntil(conn, "\r\n\r\nok"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
				t.Fatalf("%q", got)
			}
			time.Sleep(idleTimeout - time.Second)
		}
		begun := time.Now()
		if got, _ := io.ReadAll(conn); len(got) > 0 || time.Since(begun) != time.Second {
			t.Errorf("%q after %v", got, time.Since(begun))
		}
	})
}

// A tunnel may be silent for days, from its first byte on and later; so may a
// server that has a request.
func TestIdleTunnelStays(t *testing.T) {
	const days = 72 * time.Hour
	slow := func(c net.Conn) {
		buf := make([]byte, 1000)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			time.Sleep(days)
			c.Write(buf[:n])
		}
	}
	inNoTime(t, slow, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		io.WriteString(conn, "CONNECT example.com:7 HTTP/1.1\r\nHost: example.com:7\r\n\r\n")
		readUntil(conn, "\r\n\r\n")
		for _, word := range []string{"\x00one", "two"} {
			time.Sleep(days)
			io.WriteString(conn, word)
			if got := readN(conn, len(word)); string(got) != word {
				t.Errorf("%q came back", got)
			}
		}
		conn.Close()
	})
	late := func(c net.Conn) {
		c.Read(make([]byte, 1000))
		time.Sleep(days)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nat last")
		c.Close()
	}
	inNoTime(t, late, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		io.WriteString(conn, "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
		if got := readUntil(conn, "at last"); !strings.Contains(got, "at last") {
			t.Errorf("%q", got)
		}
		conn.Close()
	})
}
