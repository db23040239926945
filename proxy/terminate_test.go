package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"srun/policy"
)

// secureWorld is a world whose proxy opens TLS, with servers whose
// certificates an authority outside signed.
type secureWorld struct {
	*world
	outside *Authority // of the servers
	inside  *Authority // of the proxy
}

func newSecureWorld(t testing.TB, allow string, change ...func(*Config)) *secureWorld {
	w := &secureWorld{outside: newAuthority(t), inside: newAuthority(t)}
	roots := poolOf(w.outside)
	open := func(c *Config) {
		c.TLS = &TLS{Authority: w.inside, Roots: func() (*x509.CertPool, error) { return roots, nil }}
	}
	w.world = newWorld(t, allow, "", append([]func(*Config){open}, change...)...)
	return w
}

func newAuthority(t testing.TB) *Authority {
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func poolOf(a *Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	return pool
}

// requestRules reads rules of the form "allow example.com GET,HEAD /a/** /b".
func requestRules(t testing.TB, lines ...string) func(*Config) {
	var all []policy.RequestRule
	for _, line := range lines {
		words := strings.Fields(line)
		p, err := policy.ParsePattern(words[1])
		if err != nil {
			t.Fatal(err)
		}
		r := policy.RequestRule{Host: p, Action: policy.Allowed}
		if words[0] == "deny" {
			r.Action = policy.Denied
		}
		for _, word := range words[2:] {
			if strings.HasPrefix(word, "/") {
				r.Paths = append(r.Paths, word)
			} else {
				r.Methods = strings.Split(word, ",")
			}
		}
		all = append(all, r)
	}
	return func(c *Config) { c.Rules = all }
}

// serveTLS puts an HTTPS server behind "name:port".
func (w *secureWorld) serveTLS(name, addr string, port int, handle http.HandlerFunc, protocols ...string) {
	leaf, err := w.outside.Leaf(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(protocols) == 0 {
		protocols = []string{"h2", "http/1.1"}
	}
	l := tls.NewListener(listen(w.t), &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: protocols})
	w.place(name, addr, port, l.Addr().String())
	server := &http.Server{Handler: handle}
	go server.Serve(l)
	w.t.Cleanup(func() { server.Close() })
}

// client is an HTTP client that goes through the proxy and trusts its
// authority. With protocols it offers only those.
func (w *secureWorld) client(protocols ...string) *http.Client {
	if len(protocols) == 0 {
		protocols = []string{"h2", "http/1.1"}
	}
	versions := new(http.Protocols)
	for _, p := range protocols {
		versions.SetHTTP2(p == "h2" || versions.HTTP2())
		versions.SetHTTP1(p == "http/1.1" || versions.HTTP1())
	}
	transport := &http.Transport{Protocols: versions, DialTLSContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(addr)
		return w.dialTLS(addr, host, protocols...)
	}}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func (w *secureWorld) dialTLS(target, name string, protocols ...string) (*tls.Conn, error) {
	conn := tls.Client(w.tunnel(target), &tls.Config{ServerName: name, RootCAs: poolOf(w.inside), NextProtos: protocols})
	return conn, conn.Handshake()
}

// ask sends one request and returns status and body.
func ask(t testing.TB, c *http.Client, method, url string, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	if fields := req.Header["Host"]; fields != nil {
		req.Host = fields[0]
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp, string(got)
}

func describe(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %s %q", r.Proto, r.Method, r.Host, r.RequestURI, body)
}

func TestTerminatedRequests(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		w := newSecureWorld(t, "example.com")
		w.serveTLS("example.com", "198.51.100.1", 443, describe)
		c := w.client(protocol)
		proto := map[string]string{"h2": "HTTP/2.0", "http/1.1": "HTTP/1.1"}[protocol]
		for _, target := range []string{"/", "/a%20b%2Fc?x=%zz&y;z", "//double", "/a/../b", "/%e4"} {
			conn, err := w.dialTLS("example.com:443", "example.com", protocol)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			resp, got := ask(t, c, "POST", "https://example.com"+strings.ReplaceAll(target, "%zz", "1"), "body")
			want := fmt.Sprintf("%s POST example.com %s %q", proto, strings.ReplaceAll(target, "%zz", "1"), "body")
			if resp.StatusCode != 200 || got != want || resp.Proto != proto {
				t.Errorf("%s: %s %s, want %s", resp.Proto, resp.Status, got, want)
			}
		}
		if n := len(w.denied()); n != 0 {
			t.Errorf("%d denials", n)
		}
	}
}

// What the server speaks is what the client gets, and the other way round.
func TestTerminatedProtocols(t *testing.T) {
	for _, test := range []struct{ client, server, want string }{
		{"h2 http/1.1", "h2 http/1.1", "h2"},
		{"h2 http/1.1", "http/1.1", "http/1.1"},
		{"http/1.1", "h2 http/1.1", "http/1.1"},
		{"", "h2 http/1.1", ""},
		{"h2 http/1.1", "none", ""},
		{"imap", "imap", "imap"},
	} {
		w := newSecureWorld(t, "example.com")
		leaf, _ := w.outside.Leaf("example.com")
		cfg := &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: strings.Fields(test.server)}
		if test.server == "none" {
			cfg.NextProtos = nil
		}
		w.serve("example.com", "198.51.100.1", 443, func(conn net.Conn) { echo(tls.Server(conn, cfg)) })
		conn, err := w.dialTLS("example.com:443", "example.com", strings.Fields(test.client)...)
		if err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
		if test.want == "imap" {
			io.WriteString(conn, "a001 NOOP\r\n")
			if got := readUntil(conn, "\n"); got != "a001 NOOP\r\n" {
				t.Errorf("no HTTP inside: %q", got)
			}
		}
	}
}

// A server that cannot prove who it is gets nothing, and the client a reason.
func TestTerminatedServerNotVerified(t *testing.T) {
	other := newAuthority(t)
	for name, leaf := range map[string]func(w *secureWorld) (*tls.Certificate, error){
		"another authority": func(*secureWorld) (*tls.Certificate, error) { return other.Leaf("example.com") },
		"another name":      func(w *secureWorld) (*tls.Certificate, error) { return w.outside.Leaf("evil.test") },
		"the proxy's own":   func(w *secureWorld) (*tls.Certificate, error) { return w.inside.Leaf("example.com") },
	} {
		for _, protocol := range []string{"h2", "http/1.1"} {
			w := newSecureWorld(t, "example.com")
			cert, err := leaf(w)
			if err != nil {
				t.Fatal(err)
			}
			w.serve("example.com", "198.51.100.1", 443, func(conn net.Conn) {
				secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*cert}})
				if b, _ := io.ReadAll(secure); len(b) > 0 {
					t.Errorf("%s: the server got %q", name, b)
				}
				conn.Close()
			})
			resp, body := ask(t, w.client(protocol), "POST", "https://example.com/", "secret")
			if resp.StatusCode != 502 || !strings.Contains(body, "srun: TLS to example.com:443: tls: failed to verify certificate") {
				t.Errorf("%s, %s: %s %q", name, protocol, resp.Status, body)
			}
		}
	}
}

func TestExcludedStaysClosed(t *testing.T) {
	w := newSecureWorld(t, "example.com pinned.test", func(c *Config) { c.TLS.Exclude = rules(t, "pinned.test", "") })
	w.serveTLS("example.com", "198.51.100.1", 443, describe)
	w.serveTLS("pinned.test", "198.51.100.2", 443, describe)
	for name, authority := range map[string]*Authority{"example.com": w.inside, "pinned.test": w.outside} {
		conn := tls.Client(w.tunnel(name+":443"), &tls.Config{ServerName: name, RootCAs: poolOf(authority)})
		if err := conn.Handshake(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every request must be for the host that the connection is for.
func TestTerminatedMisdirected(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		for _, test := range []struct {
			target, sni, host string
			status            int
		}{
			{"example.com:443", "example.com", "example.com", 200},
			{"example.com:443", "example.com", "EXAMPLE.com:443", 200},
			{"example.com:443", "example.com", "other.com", 421},
			{"example.com:443", "example.com", "example.com:80", 421},
			{"example.com:443", "example.com", "sub.example.com", 421},
			{"198.51.100.1:443", "example.com", "example.com", 200},
			{"198.51.100.1:443", "example.com", "other.com", 421},
			{"198.51.100.1:443", "example.com", "198.51.100.1", 421},
		} {
			w := newSecureWorld(t, "example.com other.com 198.51.100.1")
			w.serveTLS("example.com", "198.51.100.1", 443, describe)
			c := w.client(protocol)
			c.Transport.(*http.Transport).DialTLSContext = func(context.Context, string, string) (net.Conn, error) {
				return w.dialTLS(test.target, test.sni, protocol)
			}
			resp, body := ask(t, c, "GET", "https://"+test.sni+"/", "", "Host", test.host)
			if resp.StatusCode != test.status {
				t.Errorf("%s %+v: %s %q", protocol, test, resp.Status, body)
			}
			if test.status == 421 && resp.Header.Get("X-Proxy-Error") != CodeSNIMismatch {
				t.Errorf("%s %+v: %v", protocol, test, resp.Header)
			}
		}
	}
}

// A name in the hello that is not the one that was allowed is refused before
// anything is signed.
func TestTerminatedFronting(t *testing.T) {
	w := newSecureWorld(t, "example.com other.com")
	w.serveTLS("example.com", "198.51.100.1", 443, describe)
	if _, err := w.dialTLS("example.com:443", "other.com"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Error(err)
	}
	w.wantDenials(1)
}

// Server-sent events come one by one, and a request's body goes as it comes.
func TestTerminatedStreams(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		w := newSecureWorld(t, "example.com")
		w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(rw)
			control.EnableFullDuplex()
			rw.Header().Set("Content-Type", "text/event-stream")
			rw.WriteHeader(200)
			control.Flush()
			in := bufio.NewScanner(r.Body)
			for in.Scan() {
				fmt.Fprintf(rw, "data: %s\n", in.Text())
				control.Flush()
			}
		})
		body, send := io.Pipe()
		req, _ := http.NewRequest("POST", "https://example.com/events", body)
		resp, err := w.client(protocol).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(resp.Body)
		for i := range 3 {
			fmt.Fprintf(send, "event %d\n", i)
			if line, err := in.ReadString('\n'); line != fmt.Sprintf("data: event %d\n", i) {
				t.Fatalf("%s: %q, %v", protocol, line, err)
			}
		}
		send.Close()
		if _, err := in.ReadByte(); err != io.EOF {
			t.Errorf("%s: %v", protocol, err)
		}
		resp.Body.Close()
	}
}

// Trailers pass both ways, as gRPC has them.
func TestTerminatedTrailers(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		w := newSecureWorld(t, "example.com")
		w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
			io.Copy(rw, r.Body)
			http.NewResponseController(rw).Flush()
			rw.Header().Set(http.TrailerPrefix+"X-Got", r.Trailer.Get("X-Sum"))
			rw.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		})
		req, _ := http.NewRequest("POST", "https://example.com/svc/Method", io.NopCloser(strings.NewReader("payload")))
		req.Header.Set("TE", "trailers")
		req.Trailer = http.Header{"X-Sum": nil}
		req.Body = &atEOF{Reader: strings.NewReader("payload"), then: func() { req.Trailer.Set("X-Sum", "77") }}
		resp, err := w.client(protocol).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if string(body) != "payload" || resp.Trailer.Get("Grpc-Status") != "0" || resp.Trailer.Get("X-Got") != "77" {
			t.Errorf("%s: %q, trailer %v", protocol, body, resp.Trailer)
		}
		resp.Body.Close()
	}
}

type atEOF struct {
	io.Reader
	then func()
}

func (r *atEOF) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err == io.EOF {
		r.then()
	}
	return n, err
}

func (r *atEOF) Close() error { return nil }

// A websocket is an upgrade of HTTP/1.1; what follows is relayed both ways.
func TestTerminatedWebsocket(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
		conn, buf, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		io.Copy(conn, buf)
	})
	conn, err := w.dialTLS("example.com:443", "example.com", "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if got := readUntil(conn, "\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.Contains(got, "Upgrade: websocket") {
		t.Fatalf("%q", got)
	}
	for range 3 {
		frame := bytes.Repeat([]byte{0x82, 0, 1, 2}, 5000)
		go conn.Write(frame)
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, frame) {
			t.Fatalf("frame: %v", err)
		}
	}
}

// A body of any size passes without being kept.
func TestTerminatedBigBody(t *testing.T) {
	const size = 64 << 20
	for _, protocol := range []string{"h2", "http/1.1"} {
		w := newSecureWorld(t, "example.com")
		w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			rw.Header().Set("X-Got", fmt.Sprint(n))
			io.CopyN(rw, zeros{}, size)
		})
		req, _ := http.NewRequest("PUT", "https://example.com/big", io.LimitReader(zeros{}, size))
		c := w.client(protocol)
		c.Timeout = time.Minute
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if n != size || err != nil || resp.Header.Get("X-Got") != fmt.Sprint(size) {
			t.Errorf("%s: %d down, %s up, %v", protocol, n, resp.Header.Get("X-Got"), err)
		}
	}
}
