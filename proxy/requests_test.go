package proxy

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestRules(t *testing.T) {
	clone := []string{"allow example.com /org/**", "deny example.com /**/git-receive-pack"}
	read := []string{"allow example.com GET,HEAD"}
	for _, test := range []struct {
		rules        []string
		method, path string
		fields       string // "Name: value"
		reason       string // "" passes
	}{
		{read, "GET", "/a", "", ""},
		{read, "HEAD", "/a//b%2fc", "", ""}, // no rule names paths
		{read, "POST", "/a", "", "no rule of network.rules allows it"},
		{read, "get", "/a", "", ""}, // to a server that takes it, it is GET
		{read, "GET", "/a", "X-HTTP-Method-Override: DELETE", "no rule of network.rules allows it"},
		{read, "GET", "/a", "X-HTTP-Method-Override: HEAD", ""},
		{read, "GET", "/a", "X_HTTP_Method-override: PUT", "no rule of network.rules allows it"},
		{[]string{"deny example.com DELETE"}, "POST", "/", "", ""},
		{[]string{"deny example.com DELETE"}, "delete", "/", "", "denied by network.rules: deny example.com DELETE"},
		{[]string{"deny example.com DELETE"}, "POST", "/", "X-Method-Override: delete", "denied by network.rules: deny example.com DELETE"},
		{[]string{"deny other.com"}, "POST", "/", "", ""},
		{[]string{"deny *:443"}, "POST", "/", "", "denied by network.rules: deny *:443"},
		{[]string{"deny *:8443"}, "POST", "/", "", ""},

		{clone, "GET", "/org/repo.git/info/refs?service=git-upload-pack", "", ""},
		{clone, "POST", "/org/repo.git/git-upload-pack", "", ""},
		{clone, "POST", "/org/repo.git/git-receive-pack", "", "denied by network.rules: deny example.com /**/git-receive-pack"},
		{clone, "POST", "/org/repo.git/git-receive%2Dpack", "", "denied by network.rules: deny example.com /**/git-receive-pack"},
		{clone, "POST", "/org/repo.git/git-receive-pack/", "", "denied by network.rules: deny example.com /**/git-receive-pack"},
		{clone, "POST", "/org/repo.git/Git-Receive-Pack", "", "denied by network.rules: deny example.com /**/git-receive-pack"},
		{clone, "GET", "/other/repo.git/info/refs", "", "no rule of network.rules allows it"},
		{clone, "GET", "/Org/repo.git/info/refs", "", "no rule of network.rules allows it"},
		{clone, "GET", "/org/../other/x", "", "two ways: a segment ends in a dot"},
		{clone, "GET", "/org/%2e%2E/other/x", "", "two ways: a segment ends in a dot"},
		{clone, "GET", "/org/..;/other/x", "", "two ways: a backslash or semicolon"},
		{clone, "GET", "/org/..%2fother/x", "", "two ways: an encoded slash"},
		{clone, "GET", "/org/..%5cother", "", "two ways: a backslash or semicolon"},
		{clone, "GET", "/org/%252e%252e/other", "", "two ways: an encoded percent sign"},
		{clone, "GET", "/org//x", "", "two ways: it has an empty segment"},
		{clone, "GET", "//org/x", "", "two ways: it has an empty segment"},
		{clone, "GET", "/org/x.", "", "two ways: a segment ends in a dot"},
		{clone, "GET", "/org/%00", "", "two ways: a control character"},
		{clone, "GET", "/org/%c0%af", "", "two ways: it is not UTF-8"},
		{clone, "GET", "/org/x", "X-Original-URL: /other", "X-Original-URL names another"},
		{clone, "GET", "/org/x", "x_rewrite_url: /other", "X-Rewrite-URL names another"},
	} {
		w := newSecureWorld(t, "example.com", requestRules(t, test.rules...))
		w.serveTLS("example.com", "198.51.100.1", 443, describe, "http/1.1")
		w.serveHTTP("", "198.51.100.1", 80, describe)
		conn, err := w.dialTLS("example.com:443", "example.com", "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		fields := "Host: example.com\r\nConnection: close\r\n"
		if test.fields != "" {
			fields += test.fields + "\r\n"
		}
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\n%s\r\n", test.method, test.path, fields)
		head, body, _ := strings.Cut(readUntil(conn, ""), "\r\n\r\n")
		if test.reason == "" {
			if !strings.HasPrefix(head, "HTTP/1.1 200") || len(w.denied()) != 0 {
				t.Errorf("%v: %s %s: %s %s", test.rules, test.method, test.path, head, body)
			}
			continue
		}
		if !strings.HasPrefix(head, "HTTP/1.1 403") || !strings.Contains(head, "X-Proxy-Error: "+CodeMethodPolicy) || !strings.Contains(body, test.reason) {
			t.Errorf("%v: %s %s: %s %s", test.rules, test.method, test.path, head, body)
		}
		d := w.wantDenials(1)[0]
		if body != "srun: "+d.Line()+"\n" || d.Method != test.method || strings.Contains(d.Reason, "/org/") {
			t.Errorf("%+v, body %q", d, body)
		}
	}
}

// Rules hold in every way that a request can take.
func TestRulesEveryWay(t *testing.T) {
	rule := requestRules(t, "deny example.com POST")
	for name, send := range map[string]func(w *secureWorld, method string) int{
		"https h2": func(w *secureWorld, m string) int {
			r, _ := ask(t, w.client("h2"), m, "https://example.com/", "")
			return r.StatusCode
		},
		"https h1": func(w *secureWorld, m string) int {
			r, _ := ask(t, w.client("http/1.1"), m, "https://example.com/", "")
			return r.StatusCode
		},
		"forward": func(w *secureWorld, m string) int {
			return status(w.say(m+" http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", "\r\n\r\n"))
		},
		"tunnel":     func(w *secureWorld, m string) int { return raw(w.tunnel("example.com:80"), m, "example.com") },
		"by address": func(w *secureWorld, m string) int { return raw(w.tunnel("198.51.100.1:80"), m, "example.com") },
		"tls address": func(w *secureWorld, m string) int {
			conn, err := w.dialTLS("198.51.100.1:443", "example.com", "http/1.1")
			if err != nil {
				t.Fatal(err)
			}
			return raw(conn, m, "example.com")
		},
	} {
		w := newSecureWorld(t, "example.com 198.51.100.1", rule)
		w.serveTLS("example.com", "198.51.100.1", 443, describe)
		w.serveHTTP("", "198.51.100.1", 80, describe)
		if got := send(w, "GET"); got != 200 {
			t.Errorf("%s: GET: %d", name, got)
		}
		if got := send(w, "POST"); got != 403 {
			t.Errorf("%s: POST: %d", name, got)
		}
	}
}

func raw(conn net.Conn, method, host string) int {
	fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n", method, host)
	return status(readUntil(conn, "\r\n\r\n"))
}

func status(response string) (code int) {
	fmt.Sscanf(response, "HTTP/1.1 %d", &code)
	return code
}

// Of a host that rules speak of nothing passes that they cannot be applied to.
func TestRuledPassesHTTPAlone(t *testing.T) {
	for name, first := range map[string]string{
		"binary":   "\x00\x01\x02\x03",
		"ssh":      "SSH-2.0-test\r\n",
		"HTTP/0.9": "GET /\r\n",
		"odd":      "\x0b\x0bGET /",
		"TLS":      string(clientHello(t, "example.com")),
	} {
		for _, target := range []string{"example.com:80", "198.51.100.1:80"} {
			got := &record{}
			w := newWorld(t, "example.com 198.51.100.1", "", requestRules(t, "deny *:80 POST", "deny 198.51.100.1:80 POST"))
			w.serve("example.com", "198.51.100.1", 80, got.serve)
			conn := w.tunnel(target)
			io.WriteString(conn, first)
			io.ReadAll(conn)
			if d := w.wantDenials(1)[0]; got.String() != "" || d.Code != CodeMethodPolicy {
				t.Errorf("%s to %s: the server got %q; %s", name, target, got, d.Line())
			}
		}
	}
}

// record is a server that answers nothing and keeps what it gets.
type record struct {
	mu  sync.Mutex
	all []byte
}

func (r *record) serve(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		r.mu.Lock()
		r.all = append(r.all, buf[:n]...)
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.all)
}

// What two servers could read as one request or two reaches no server, and a
// second request on a connection is judged like the first.
func TestTerminatedSmuggling(t *testing.T) {
	const secret = "POST /secret HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n"
	for name, first := range map[string]string{
		"pipelined":         "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n" + secret,
		"both lengths":      "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + secret,
		"two lengths":       "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\nContent-Length: 70\r\n\r\n" + secret,
		"odd coding":        "GET / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: xchunked\r\n\r\n" + secret,
		"space before":      "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length : 70\r\n\r\n" + secret,
		"folded":            "GET / HTTP/1.1\r\nHost: example.com\r\nX: y\r\n Content-Length: 70\r\n\r\n" + secret,
		"bare LF":           "GET / HTTP/1.1\nHost: example.com\n\n" + secret,
		"two hosts":         "GET / HTTP/1.1\r\nHost: example.com\r\nHost: other.com\r\n\r\n",
		"chunk extension":   "GET / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n" + secret,
		"connection header": "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close, Host\r\n\r\n" + secret,
		"CONNECT":           "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n" + secret,
		"upgrade to h2c":    "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + secret,
	} {
		w := newSecureWorld(t, "example.com", requestRules(t, "allow example.com GET"))
		var seen strings.Builder
		var mu sync.Mutex
		w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			fmt.Fprintf(&seen, "%s %s %s\n", r.Method, r.Host, r.RequestURI)
			mu.Unlock()
		}, "http/1.1")
		conn, err := w.dialTLS("example.com:443", "example.com", "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, first)
		conn.CloseWrite()
		answer := readUntil(conn, "")
		mu.Lock()
		if got := seen.String(); strings.Contains(got, "POST") || strings.Contains(got, "other.com") || strings.Count(got, "\n") > 1 {
			t.Errorf("%s: the server got %q; the client %q", name, got, answer)
		}
		mu.Unlock()
	}
}

// A kept connection that the server closed is made anew, as the client would
// have done.
func TestTerminatedServerClosesIdle(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	leaf, _ := w.outside.Leaf("example.com")
	closing := make(chan struct{}, 2)
	w.serve("example.com", "198.51.100.1", 443, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*leaf}})
		if _, err := http.ReadRequest(bufio.NewReader(secure)); err == nil {
			io.WriteString(secure, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		secure.Close()
		closing <- struct{}{}
	})
	conn, err := w.dialTLS("example.com:443", "example.com", "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(conn)
	for i := range 3 {
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		io.ReadAll(resp.Body)
		<-closing
	}
	if n := len(w.dialled()); n != 3 {
		t.Errorf("%d connections to the server", n)
	}
}
