package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// going is a connection that was made to another address than it came to, as
// behind a local route to everything.
type going struct {
	*net.TCPConn
	to net.Addr
}

func (g going) LocalAddr() net.Addr { return g.to }

// everywhere is a listener whose connections were all made to one address.
type everywhere struct {
	net.Listener
	to string
}

func (e everywhere) Accept() (net.Conn, error) {
	conn, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	to, err := net.ResolveTCPAddr("tcp", e.to)
	return going{conn.(*net.TCPConn), to}, err
}

// transparent connects to an address that ends at the proxy.
func (w *world) transparent(to string) net.Conn {
	l := listen(w.t)
	go w.s.ServeTransparent(everywhere{l, to})
	for {
		conn, err := net.Dial("tcp", l.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			continue // refused before connect returned
		}
		if err != nil {
			w.t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		w.t.Cleanup(func() { conn.Close() })
		return conn
	}
}

func TestTransparent(t *testing.T) {
	w := newWorld(t, "example.com 198.51.100.7 localhost:5432", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	w.serve("", "198.51.100.7", 7, echo)
	w.serve("", "127.0.0.1", 5432, echo)
	if got := w.dns("example.com.", dnsmessage.TypeA); got != "0 198.18.0.16" {
		t.Fatal(got)
	}
	for to, ok := range map[string]bool{
		"198.18.0.16:7":              true,
		"[::ffff:198.18.0.16]:7":     true,
		"[fd5f:7372:756e::10]:7":     true,
		"198.51.100.7:7":             true,
		"127.0.0.1:5432":             true,
		"[::1]:5432":                 true,
		"198.51.100.1:7":             false, // the name is allowed, not its address
		"198.18.0.17:7":              false, // stands for nothing
		"127.0.0.1:5433":             false,
		"169.254.169.254:80":         false,
		"[fd5f:7372:756e:0:1::10]:7": false,
		"[2001:db8::1]:7":            false,
	} {
		conn := w.transparent(to)
		io.WriteString(conn, "\x00ping")
		got := readN(conn, 5)
		if (string(got) == "\x00ping") != ok {
			t.Errorf("%s: %q", to, got)
		}
		if !ok && !wasReset(conn) {
			t.Errorf("%s: not a reset", to)
		}
		conn.Close()
	}
	for _, d := range w.denied() {
		if strings.HasPrefix(d.Target, "127.") || strings.HasPrefix(d.Target, "localhost") {
			t.Errorf("a probe of loopback is told: %s", d.Line())
		}
	}
	told := map[string]bool{}
	for _, d := range w.denied() {
		told[d.Target] = true
	}
	if len(told) != 5 {
		t.Errorf("denials: %v", told)
	}
}

// wasReset reports that a connection ended in a reset, be it told by a write
// before.
func wasReset(conn net.Conn) bool {
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) && errors.Is(writeErr(conn), syscall.EPIPE)
}

func writeErr(conn net.Conn) error { _, err := conn.Write([]byte{0}); return err }

func TestTransparentServerName(t *testing.T) {
	w := newWorld(t, "example.com 198.51.100.7", "")
	w.serve("example.com", "198.51.100.7", 443, tlsServer)
	w.serveHTTP("", "198.51.100.7", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "ok") })
	w.dns("example.com.", dnsmessage.TypeA)
	for _, to := range []string{"198.18.0.16:443", "198.51.100.7:443"} {
		if got, err := handshake(w.transparent(to), "example.com"); got != `you want "example.com"` {
			t.Errorf("%s: %q %v", to, got, err)
		}
		if got, err := handshake(w.transparent(to), "other.com"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %q %v", to, got, err)
		}
	}
	for host, want := range map[string]string{"example.com": "HTTP/1.1 200 ", "other.com": "HTTP/1.1 403 "} {
		conn := w.transparent("198.18.0.16:80")
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		if got := readUntil(conn, ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %.100q", host, got)
		}
	}
}

// A program that resolved a name itself and then speaks to a proxy means the
// name.
func TestSyntheticThroughProxy(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 443, tlsServer)
	w.dns("example.com.", dnsmessage.TypeA)
	if got, err := handshake(w.tunnel("198.18.0.16:443"), "example.com"); got != `you want "example.com"` {
		t.Error(got, err)
	}
	if _, resp := w.connect("198.18.0.17:443"); resp.StatusCode != 403 {
		t.Error(resp.Status)
	}
}

func TestTransparentAsks(t *testing.T) {
	asked := make(chan Question, 1)
	w := newWorld(t, "", "", asking(func(_ context.Context, q Question) Answer { asked <- q; return AllowOnce }))
	w.serve("ask.test", "198.51.100.1", 22, func(conn net.Conn) { io.WriteString(conn, "SSH-2.0-x\r\n"); conn.Close() })
	w.dns("ask.test.", dnsmessage.TypeA)
	conn := w.transparent("198.18.0.16:22")
	if got := readUntil(conn, "\n"); got != "SSH-2.0-x\r\n" {
		t.Errorf("%q", got)
	}
	if q := <-asked; q.Target.String() != "ask.test:22" {
		t.Errorf("%v", q)
	}
}
