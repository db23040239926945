package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"srun/policy"
	"srun/proxy/internal/socks5"
	"srun/proxy/internal/tlshello"
)

// custom is a proxy of the user's own: HTTP and SOCKS5, made of a second world
// that allows what it is told to.
func custom(t *testing.T, allow string) (*world, int) {
	w := newWorld(t, allow, "")
	_, port, _ := net.SplitHostPort(w.proxy)
	n, _ := policy.ParsePort(port)
	return w, int(n)
}

// behind lets a world reach the real addresses of loopback, where the custom
// proxy is.
func behind(w *world) { w.s.dials.out.Dial = nil }

func TestCustomProxy(t *testing.T) {
	for name, set := range map[string]func(c *Config, port int){
		"http":  func(c *Config, port int) { c.HTTPProxyPort = port },
		"socks": func(c *Config, port int) { c.SOCKSProxyPort = port },
		"both":  func(c *Config, port int) { c.HTTPProxyPort, c.SOCKSProxyPort = port, port },
	} {
		t.Run(name, func(t *testing.T) {
			theirs, port := custom(t, "good.test denied.test")
			for i, n := range []string{"good.test", "denied.test"} {
				theirs.serve(n, fmt.Sprintf("198.51.100.%d", i+1), 7, echo)
				theirs.serveHTTP("", fmt.Sprintf("198.51.100.%d", i+1), 80, func(rw http.ResponseWriter, r *http.Request) {
					fmt.Fprint(rw, "served ", r.Host, " ", r.RequestURI)
				})
			}
			ours := newWorld(t, "good.test theirs-refuse.test", "denied.test", func(c *Config) { set(c, port) })
			behind(ours)
			conn := ours.tunnel("good.test:7")
			io.WriteString(conn, "\x00hi")
			if got := readN(conn, 3); string(got) != "\x00hi" {
				t.Errorf("tunnel: %q", got)
			}
			if _, body := get(t, ours.client(), "http://good.test/x"); body != "served good.test /x" {
				t.Errorf("forward: %s", body)
			}
			socks := ours.open()
			socks.Write(append(socksRequest(socks5.Name, "good.test", 7), "\x00hi"...))
			if got := readN(socks, 15); string(got[12:]) != "\x00hi" {
				t.Errorf("socks: %q", got)
			}
			for target, text := range map[string]string{
				"denied.test:7":        "denied by rule denied.test",
				"other.test:7":         "not in allowedDomains",
				"theirs-refuse.test:7": fmt.Sprintf("the custom proxy on localhost:%d", port),
			} {
				_, resp := ours.connect(target)
				body, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != 403 || !strings.Contains(string(body), text) {
					t.Errorf("%s: %s %s", target, resp.Status, body)
				}
			}
			if got := ours.looked(); len(got) > 0 {
				t.Errorf("resolved %v: the custom proxy does", got)
			}
		})
	}
}

// With no allow rule at all the custom proxy decides; a deny rule holds.
func TestCustomProxyDecides(t *testing.T) {
	theirs, port := custom(t, "good.test denied.test 127.0.0.1")
	theirs.serve("good.test", "198.51.100.1", 7, echo)
	theirs.serve("denied.test", "198.51.100.2", 7, echo)
	theirs.serve("", "127.0.0.1", 7, echo)
	ours := newWorld(t, "", "denied.test", func(c *Config) { c.HTTPProxyPort = port })
	behind(ours)
	for target, want := range map[string]int{"good.test:7": 200, "denied.test:7": 403, "other.test:7": 403, "127.0.0.1:7": 403} {
		if _, resp := ours.connect(target); resp.StatusCode != want {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
	if got := ours.dns("good.test.", 1); got != "0 198.18.0.16" {
		t.Errorf("dns: %s", got)
	}
	conn := ours.tunnel("good.test:7")
	conn.Write(clientHello(t, "other.test"))
	if got := readUntil(conn, ""); got != string(tlshello.UnrecognizedName) {
		t.Errorf("the server name is checked all the same: % x", got)
	}
}

func TestCustomProxyDown(t *testing.T) {
	l := listen(t)
	_, text, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	port, _ := policy.ParsePort(text)
	for name, set := range map[string]func(c *Config){
		"httpProxyPort":  func(c *Config) { c.HTTPProxyPort = int(port) },
		"socksProxyPort": func(c *Config) { c.SOCKSProxyPort = int(port) },
	} {
		ours := newWorld(t, "good.test", "", set)
		behind(ours)
		want := fmt.Sprintf("the custom proxy on localhost:%d (%s) does not answer", port, name)
		_, resp := ours.connect("good.test:7")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 502 || !strings.Contains(string(body), want) {
			t.Errorf("CONNECT: %s %s", resp.Status, body)
		}
		if resp, body := get(t, ours.client(), "http://good.test/"); resp.StatusCode != 502 || !strings.Contains(body, want) {
			t.Errorf("GET: %s %s", resp.Status, body)
		}
	}
}

// A proxy that hangs up or answers nonsense is named, and nothing goes past it.
func TestCustomProxyBreaks(t *testing.T) {
	for name, set := range map[string]func(c *Config){
		"httpProxyPort":  func(c *Config) { c.HTTPProxyPort = 3128 },
		"socksProxyPort": func(c *Config) { c.SOCKSProxyPort = 3128 },
	} {
		for answer, want := range map[string]string{"": "closed the connection", "\x05\x00\x05\x00\x00\x09": "3128 (" + name + ")"} {
			w := newWorld(t, "good.test", "", set)
			w.serve("", "127.0.0.1", 3128, func(conn net.Conn) {
				conn.Read(make([]byte, 512))
				io.WriteString(conn, answer)
				closeWrite(conn)
				io.Copy(io.Discard, conn)
			})
			w.serve("good.test", "198.51.100.1", 7, echo)
			_, resp := w.connect("good.test:7")
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 502 || !strings.Contains(string(body), want) {
				t.Errorf("%s, %q: %s %s", name, answer, resp.Status, body)
			}
			if got := fmt.Sprint(w.dialled(), w.looked()); got != "[127.0.0.1:3128] []" {
				t.Errorf("%s: dialled and looked up %s", name, got)
			}
		}
	}
}

// What a proxy sends with its answer is the server's: bytes of one that speaks
// first must not be lost.
func TestServerFirstBehindProxy(t *testing.T) {
	w := newWorld(t, "good.test", "", func(c *Config) { c.HTTPProxyPort = 3128 })
	w.serve("", "127.0.0.1", 3128, func(conn net.Conn) {
		defer conn.Close()
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 200 ok\r\n\r\nSSH-2.0-x\r\n")
		io.Copy(io.Discard, conn)
	})
	if got := readUntil(w.tunnel("good.test:22"), "\n"); got != "SSH-2.0-x\r\n" {
		t.Errorf("%q", got)
	}
}

func TestUpstreamWithPassword(t *testing.T) {
	up, err := ParseUpstream("http://user:p%40ss@proxy.corp:3128", "http://user:p%40ss@proxy.corp:3128", "direct.test,.sub.test,10.0.0.0/8,*.star.test,only.test:8")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "good.test direct.test localhost:7", "", func(c *Config) { c.Upstream = up })
	var heads []string
	w.serve("proxy.corp", "10.0.0.3", 3128, func(conn net.Conn) {
		defer conn.Close()
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		heads = append(heads, req.Method+" "+req.RequestURI+" "+req.Header.Get("Proxy-Authorization"))
		io.WriteString(conn, "HTTP/1.1 200 ok\r\nContent-Length: 0\r\n\r\n")
		io.Copy(conn, conn)
	})
	w.serve("direct.test", "198.51.100.1", 7, echo)
	w.serve("", "127.0.0.1", 7, echo)
	for _, target := range []string{"good.test:7", "direct.test:7", "localhost:7"} {
		conn := w.tunnel(target)
		conn.Close()
	}
	resp, err := w.client().Get("http://good.test/x?y")
	if err != nil || resp.StatusCode != 200 {
		t.Error(resp, err)
	}
	want := "[CONNECT good.test:7 Basic dXNlcjpwQHNz GET http://good.test:80/x?y Basic dXNlcjpwQHNz]"
	if got := fmt.Sprint(heads); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for target, want := range map[string]bool{
		"direct.test:1": true, "a.direct.test:1": true, "xdirect.test:1": false, "sub.test:1": false, "a.sub.test:1": true,
		"10.1.1.1:1": true, "11.1.1.1:1": false, "a.star.test:1": true, "only.test:8": true, "only.test:9": false, "127.0.0.1:1": true,
	} {
		if got := up.For(hostPort(t, target).HostPort, false) == nil; got != want {
			t.Errorf("%s direct: %v", target, got)
		}
	}
}

func TestParseUpstream(t *testing.T) {
	for _, s := range []string{"proxy.corp:3128", "http://proxy.corp", "https://proxy.corp:8443", "socks5h://u:p@10.0.0.1"} {
		if _, err := ParseUpstream(s, "", ""); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"ftp://proxy.corp", "http://", "http://[::1", "://x", "http://proxy.corp:0", "http://proxy.corp:70000", "http://user:secret@proxy corp"} {
		if _, err := ParseUpstream("", s, ""); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", s, err)
		}
	}
}
