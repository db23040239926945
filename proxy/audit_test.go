package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"srun/proxy/internal/audit"
)

// logBuffer is an audit log in memory.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) lines(t *testing.T, want int) (out []audit.Line) {
	t.Helper()
	for range 100 {
		text := l.String()
		if strings.Count(text, "\n") < want {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for _, raw := range strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n") {
			var line audit.Line
			if err := json.Unmarshal([]byte(raw), &line); err != nil {
				t.Fatalf("%q: %v", raw, err)
			}
			out = append(out, line)
		}
		return out
	}
	t.Fatalf("fewer than %d lines:\n%s", want, l)
	return nil
}

// text is a line without what changes from run to run.
func lineText(l audit.Line) string {
	return strings.Join(strings.Fields(fmt.Sprintln(l.ID, l.Event, l.Via, l.Method, l.Host, l.Port, l.Verdict, l.Rule, l.Source, l.Reason, l.Error, l.Note, l.BytesUp, l.BytesDn, l.PID, l.Command)), " ")
}

func TestAudit(t *testing.T) {
	var log logBuffer
	w := newWorld(t, "*.test", "bad.test", func(c *Config) { c.Audit, c.Peer = &log, peer })
	w.serve("good.test", "198.51.100.1", 7, echo)
	w.serve("tls.test", "198.51.100.1", 443, tlsServer)
	w.serveHTTP("web.test", "198.51.100.2", 80, func(rw http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(rw, "answer")
	})
	conn := w.tunnel("good.test:7")
	io.WriteString(conn, "\x00abcd")
	readN(conn, 5)
	conn.Close()
	log.lines(t, 2)
	w.connect("bad.test:7")
	w.connect("user\"< @x.test:7")
	w.client().Post("http://web.test/secret?path", "", strings.NewReader("body"))
	log.lines(t, 6)
	w.connect("nosuch.test:7")
	handshake(w.tunnel("tls.test:443"), "")
	w.dns("bad.test.", 1)
	var got []string
	for _, l := range log.lines(t, 10) {
		got = append(got, lineText(l))
		if l.Time.IsZero() || l.Event == "close" && l.Duration <= 0 {
			t.Errorf("%+v", l)
		}
	}
	want := []string{
		"1 decision connect good.test 7 allowed *.test --test 0 0 0",
		"1 close 0 5 5 0",
		"2 decision connect bad.test 7 denied bad.test --test denied by rule bad.test 0 0 42 curl",
	}
	for i, line := range want {
		if strings.Join(strings.Fields(got[i]), " ") != line {
			t.Errorf("%s, want %s", got[i], line)
		}
	}
	all := strings.Join(got, "\n")
	for _, part := range []string{
		"http POST web.test 80 allowed", "close 0 4 6 0", "nosuch.test 7 allowed *.test --test resolve nosuch.test: no such name",
		"note 0 TLS without a server name", "dns bad.test 0 denied",
	} {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(all, "\n", " ; ")), " "), part) {
			t.Errorf("no %q in\n%s", part, all)
		}
	}
	for _, part := range []string{"secret", "body", "\u2028"} {
		if strings.Contains(log.String(), part) {
			t.Errorf("%q in the log", part)
		}
	}
}

// A log that cannot be written changes nothing.
func TestAuditFails(t *testing.T) {
	w := newWorld(t, "good.test", "", func(c *Config) { c.Audit = fullDisk{} })
	w.serve("good.test", "198.51.100.1", 7, func(conn net.Conn) { conn.Write([]byte{1}); conn.Close() })
	if got := readN(w.tunnel("good.test:7"), 1); len(got) != 1 {
		t.Error("no byte came")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
