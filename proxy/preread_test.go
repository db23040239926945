package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"srun/proxy/internal/http1"
)

// inTwoWays are a tunnel and a transparent connection to "front.test:80".
func (w *world) inTwoWays() map[string]net.Conn {
	w.dns("front.test.", dnsmessage.TypeA)
	return map[string]net.Conn{"CONNECT": w.tunnel("front.test:80"), "transparent": w.transparent("198.18.0.16:80")}
}

// What may yet become a request line is not held back: a server may answer to a
// word without a line's end, and the client wait for that.
func TestPartialWords(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serve("front.test", "198.51.100.1", 80, echo)
	for _, words := range [][]string{
		{"PING", "PONG\r\n", "x"},
		{"get ", "a b ", "c\n", "GET / HTTP/1.1\r\n\r\n"},
		{"l", "s", "\r\n"},
		{"\x00a", "\x00b"},
		{"SSH-2.0-x", "\r\n"},
		{`{"jsonrpc":"2.0",`, `"params":["HTTP/1.1"]}`, "\n"},
	} {
		for way, conn := range w.inTwoWays() {
			start := time.Now()
			for _, word := range words {
				io.WriteString(conn, word)
				if got := readN(conn, len(word)); string(got) != word {
					t.Errorf("%s, %q: %q came back for %q", way, words, got, word)
				}
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s, %q took %v", way, words, took)
			}
			conn.Close()
		}
	}
	w.wantDenials(0)
}

// A first line of any length is carried, and no HTTP is written into it.
func TestLongFirstLine(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serve("front.test", "198.51.100.1", 80, echo)
	word := strings.Repeat("a", 40_000)
	for _, first := range []string{
		word + word + word,
		"put " + word + word + " " + word + "\nHTTP/1.1 too\n",
		strings.Repeat("\r\n", 50_000) + "x",
		"get " + word + "\n",
	} {
		for way, conn := range w.inTwoWays() {
			go func() {
				io.WriteString(conn, first)
				closeWrite(conn)
			}()
			if got := readUntil(conn, ""); got != first {
				t.Errorf("%s, %.20q: %d bytes of %d came back, from %.40q", way, first, len(got), len(first), got)
			}
		}
	}
	w.wantDenials(0)
}

// A request in pieces, however far apart, reaches the server byte for byte as it
// does in one, and one for another host does not.
func TestSlowRequest(t *testing.T) {
	const head = "GET /a?b HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
	for _, size := range []int{1, 2, 5, 7, 11, 15, 20, 100} {
		w := newWorld(t, "front.test", "")
		w.serveHTTP("front.test", "198.51.100.1", 80, func(rw http.ResponseWriter, r *http.Request) {
			fmt.Fprint(rw, r.Method, r.Host, r.RequestURI)
		})
		for way, conn := range w.inTwoWays() {
			conn.(*net.TCPConn).SetNoDelay(true)
			writePieces(conn, fmt.Appendf(nil, head, "front.test"), size)
			if got := readUntil(conn, ""); !strings.HasSuffix(got, "GETfront.test/a?b") {
				t.Errorf("%s, pieces of %d: %q", way, size, got)
			}
		}
		quiet := &silent{}
		w.serve("quiet.test", "198.51.100.2", 80, quiet.serve)
		w.s.SetDomains(rules(t, "quiet.test", ""))
		conn := w.tunnel("quiet.test:80")
		conn.(*net.TCPConn).SetNoDelay(true)
		go writePieces(conn, fmt.Appendf(nil, head, "evil.test"), size)
		if got := readUntil(conn, ""); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
			t.Errorf("pieces of %d: %q", size, got)
		}
		waitSessions(t, w.s, 0)
		if got := quiet.all(); !strings.HasPrefix("GET /a?b HTTP", got) {
			t.Errorf("pieces of %d: the server saw %q", size, got)
		}
		if d := w.wantDenials(1)[0]; d.Code != CodeSNIMismatch {
			t.Errorf("%+v", d)
		}
	}
}

// What the server saw of a line cannot be finished as another's.
func TestBegunElsewhere(t *testing.T) {
	for name, pieces := range map[string][2]string{
		"absolute form":     {"GET http://evil.test/", " HTTP/1.1\r\nHost: front.test\r\n\r\n"},
		"HTTP/0.9":          {"GET http://evil.test/", "\r\n"},
		"HTTP/0.9, its end": {"GET http://evil.test/", ""},
		"long":              {"GET /" + strings.Repeat("a", http1.MaxHead), " HTTP/1.1\r\nHost: evil.test\r\n\r\n"},
		"the server spoke":  {"ask /", " HTTP/1.1\r\nHost: evil.test\r\n\r\n"},
	} {
		w := newWorld(t, "front.test", "")
		quiet := &silent{}
		w.serve("front.test", "198.51.100.1", 80, func(conn net.Conn) {
			if b := readN(conn, 1); string(b) == "a" {
				io.WriteString(conn, "what?")
			}
			quiet.serve(conn)
		})
		conn := w.tunnel("front.test:80")
		io.WriteString(conn, pieces[0])
		for range 500 {
			if len(quiet.all()) >= len(pieces[0])-1 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if pieces[0] == "ask /" {
			readN(conn, len("what?"))
		}
		io.WriteString(conn, pieces[1])
		closeWrite(conn)
		if got := readUntil(conn, ""); got != "" {
			t.Errorf("%s: %q", name, got)
		}
		if got := quiet.all(); got != pieces[0][1:] {
			t.Errorf("%s: the server saw %.60q", name, got)
		}
		if d := w.wantDenials(1)[0]; !strings.Contains(d.Reason, "to be checked") {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A line that could pass for a request, and is none, is refused in no words of HTTP,
// unless HTTP is what is spoken beyond doubt.
func TestForeignLine(t *testing.T) {
	w := newWorld(t, "front.test", "")
	w.serveHTTP("front.test", "198.51.100.1", 80, func(http.ResponseWriter, *http.Request) {})
	for line, want := range map[string]string{
		`{"a": "HTTP/1.1"}` + "\n":                   "",
		"put /x HTTP/1.1.txt 0644\n":                 "",
		"G:T / HTTP/1.1\r\n":                         "",
		"GET / HTTP/1.1\n":                           "HTTP/1.1 400 ",
		"GET / x HTTP/1.1\r\n":                       "HTTP/1.1 400 ",
		"GET / HTTP/9.9\r\nHost: a\r\n\r\n":          "HTTP/1.1 505 ",
		"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n": "HTTP/1.1 403 ",
	} {
		for way, conn := range w.inTwoWays() {
			io.WriteString(conn, line)
			got, _ := bufio.NewReader(conn).ReadString('\n')
			if want == "" && got != "" || !strings.HasPrefix(got, want) {
				t.Errorf("%s, %q: %q, want %q", way, line, got, want)
			}
		}
	}
	for _, d := range w.wantDenials(8) {
		if d.Code != CodeSNIMismatch {
			t.Errorf("%+v", d)
		}
	}
}

// Where rules speak of requests, what is not clear goes nowhere.
func TestPartialWordUnderRules(t *testing.T) {
	w := newWorld(t, "front.test", "", requestRules(t, "allow front.test GET"))
	quiet := &silent{}
	w.serve("front.test", "198.51.100.1", 80, quiet.serve)
	conn := w.tunnel("front.test:80")
	io.WriteString(conn, "PUT /")
	start := time.Now()
	readUntil(conn, "")
	if took := time.Since(start); took > prereadWait+2*time.Second {
		t.Errorf("refused after %v", took)
	}
	if got := quiet.all(); got != "" {
		t.Errorf("the server saw %q", got)
	}
	if d := w.wantDenials(1)[0]; d.Code != CodeMethodPolicy {
		t.Errorf("%+v", d)
	}
}
