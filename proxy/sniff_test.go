package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"srun/proxy/internal/http1"
)

// firstRecord gives the first record that is written another version.
type firstRecord struct {
	net.Conn
	version uint16
	done    bool
}

func (f *firstRecord) Write(b []byte) (int, error) {
	if !f.done {
		f.done = true
		b = slices.Clone(b)
		b[1], b[2] = byte(f.version>>8), byte(f.version)
	}
	return f.Conn.Write(b)
}

// A hello is held to the name whatever version its record claims: crypto/tls
// serves it.
func TestRecordVersions(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 443, tlsServer)
	w.dns("example.com.", dnsmessage.TypeA)
	for _, version := range []uint16{0x0301, 0x0200, 0, 0x0101, 0x0401, 0x0fff} {
		for via, open := range map[string]func() net.Conn{
			"CONNECT":     func() net.Conn { return w.tunnel("example.com:443") },
			"transparent": func() net.Conn { return w.transparent("198.18.0.16:443") },
		} {
			got, err := handshake(&firstRecord{Conn: open(), version: version}, "example.com")
			if got != `you want "example.com"` {
				t.Errorf("control, 0x%04x, %s: %q, %v", version, via, got, err)
			}
			if got, err := handshake(&firstRecord{Conn: open(), version: version}, "evil.test"); err == nil {
				t.Errorf("0x%04x, %s: %q", version, via, got)
			}
		}
	}
	for _, d := range w.wantDenials(12) {
		if d.Reason != "TLS server name evil.test is not the allowed name example.com" {
			t.Error(d.Reason)
		}
	}
	conn := w.tunnel("example.com:443")
	conn.SetDeadline(time.Now().Add(time.Second))
	_, err := handshake(&firstRecord{Conn: conn, version: 0x1000}, "example.com")
	if _, isAlert := errors.AsType[tls.AlertError](err); err == nil || isAlert || isTimeout(err) {
		t.Errorf("a hello that cannot be read: %v", err)
	}
}

// Requests by which a lenient server may be asked for another host, whole and
// in pieces. No server sees the end of their first line.
func TestOddRequests(t *testing.T) {
	for name, line := range map[string]string{
		"long method":    strings.Repeat("G", 70) + " / HTTP/1.1",
		"longer method":  strings.Repeat("G", 20<<10) + " / HTTP/1.1",
		"space before":   " GET / HTTP/1.1",
		"tab before":     "\tGET / HTTP/1.1",
		"VT before":      "\vGET / HTTP/1.1",
		"NUL before":     "\x00GET / HTTP/1.1",
		"NBSP before":    "\xa0GET / HTTP/1.1",
		"NUL in target":  "GET /\x00 HTTP/1.1",
		"NUL in method":  "GE\x00T / HTTP/1.1",
		"VT after":       "GET\v/ HTTP/1.1",
		"FF after":       "GET\f/ HTTP/1.1",
		"NBSP after":     "GET\xa0/\xa0HTTP/1.1",
		"colon":          "G:T / HTTP/1.1",
		"case":           "GET / hTtP/1.1",
		"bare CR":        "GET / HTTP/1.1\rHost: evil.test\r\rx",
		"0.9 behind NUL": "GET\x00http://evil.test/",
		"many lines":     strings.Repeat("\r\n", 300) + "GET / HTTP/1.1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			rec := &silent{}
			w := newWorld(t, "front.test", "")
			w.serve("front.test", "198.51.100.1", 80, rec.serve)
			w.dns("front.test.", dnsmessage.TypeA)
			raw := line + "\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
			for _, conn := range []net.Conn{w.tunnel("front.test:80"), w.transparent("198.18.0.16:80")} {
				io.WriteString(conn, raw)
				if got := readUntil(conn, "\r\n\r\n"); strings.Contains(got, " 200 ") {
					t.Errorf("%.80q", got)
				}
			}
			if got := rec.all(); strings.Trim(got, "G") != "" { // of a long one the beginning
				t.Errorf("the server saw %.80q", got)
			}
			quiet := &silent{}
			w.serve("quiet.test", "198.51.100.2", 80, quiet.serve)
			w.s.SetDomains(rules(t, "quiet.test", ""))
			conn := w.tunnel("quiet.test:80")
			conn.(*net.TCPConn).SetNoDelay(true)
			writePieces(conn, []byte(raw), max(3, len(line)/20))
			readUntil(conn, "")
			waitSessions(t, w.s, 0)
			if got := quiet.all(); strings.Contains(strings.TrimLeft(got, "\r\n"), "\n") || strings.Contains(strings.ToLower(got), "http/") {
				t.Errorf("in pieces: the server saw %.80q", got)
			}
		})
	}
}

// silent is a recorder that answers nothing.
type silent struct{ recorder }

func (s *silent) serve(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		s.mu.Lock()
		s.got = append(s.got, string(buf[:n]))
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// What was taken for another protocol turns into a request: it ends there.
func TestOddThenRequest(t *testing.T) {
	w := newWorld(t, "front.test", "")
	quiet := &silent{}
	w.serve("front.test", "198.51.100.1", 80, quiet.serve)
	conn := w.tunnel("front.test:80")
	io.WriteString(conn, "\vGET /")
	for range 100 {
		if quiet.all() == "\vGET /" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := quiet.all(); got != "\vGET /" {
		t.Fatalf("control: %q", got)
	}
	io.WriteString(conn, " HTTP/1.1\r\nHost: evil.test\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v, not a reset", err)
	}
	if d := w.wantDenials(1)[0]; d.Code != CodeSNIMismatch || !strings.Contains(d.Reason, "too long or too oddly") {
		t.Errorf("%+v", d)
	}
	if got := quiet.all(); got != "\vGET /" {
		t.Errorf("the server saw %q", got)
	}
}

// Towards an address HTTP/2 passes, its preface in pieces too.
func TestPrefaceInPieces(t *testing.T) {
	w := newWorld(t, "198.51.100.1", "")
	w.serve("", "198.51.100.1", 80, echo)
	for _, at := range []int{1, 11, 15} {
		conn := w.tunnel("198.51.100.1:80")
		preface := string(http1.HTTP2Preface) + "\r\nSM\r\n\r\n"
		io.WriteString(conn, preface[:at])
		time.Sleep(20 * time.Millisecond)
		io.WriteString(conn, preface[at:])
		if got := readN(conn, len(preface)); string(got) != preface {
			t.Errorf("cut at %d: %q", at, got)
		}
	}
}

// A method may be long and still be the host's own.
func TestLongMethod(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serveHTTP("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, r.Host) })
	conn := w.tunnel("front.test:80")
	io.WriteString(conn, strings.Repeat("G", 200)+" / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
	if got := readUntil(conn, ""); !strings.HasSuffix(got, "front.test") {
		t.Errorf("%q", got)
	}
}
