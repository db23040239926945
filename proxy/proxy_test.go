package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"srun/policy"
)

// world is a proxy with the outside that it sees: names that resolve to
// addresses of documentation ranges, and servers on loopback that stand behind
// those addresses. Nothing else can be reached.
type world struct {
	t       testing.TB
	s       *Server
	proxy   string // address of the proxy port
	mu      sync.Mutex
	names   map[string][]string
	servers map[string]string // "198.51.100.1:443" to the loopback address
	lookups []string
	dials   []string
	denials []Denial
	dnsAt   []netip.AddrPort // the host's name servers
}

// newWorld starts a proxy. allow and deny are space-separated patterns.
func newWorld(t testing.TB, allow, deny string, change ...func(*Config)) *world {
	w := &world{t: t, names: map[string][]string{}, servers: map[string]string{}}
	cfg := Config{
		Domains:     rules(t, allow, deny),
		Resolve:     w.resolve,
		NameServers: func() ([]netip.AddrPort, error) { w.mu.Lock(); defer w.mu.Unlock(); return w.dnsAt, nil },
		Dial:        w.dial,
		HostAddrs:   func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("203.0.113.77")}, nil },
		Denied:      func(d Denial) { w.mu.Lock(); w.denials = append(w.denials, d); w.mu.Unlock() },
	}
	for _, f := range change {
		f(&cfg)
	}
	w.s = New(cfg)
	l := listen(t)
	w.proxy = l.Addr().String()
	go w.s.ServeProxy(l)
	t.Cleanup(func() { w.s.Close() })
	return w
}

func rules(t testing.TB, allow, deny string) *policy.Domains {
	parse := func(list string) (out []policy.DomainRule) {
		for _, text := range strings.Fields(list) {
			p, err := policy.ParsePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, policy.DomainRule{Pattern: p, Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}})
		}
		return out
	}
	return policy.NewDomains(parse(allow), parse(deny))
}

func (w *world) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lookups = append(w.lookups, host)
	texts, ok := w.names[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, a := range texts {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, nil
}

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dials = append(w.dials, addr)
	real, ok := w.servers[addr]
	w.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return (&net.Dialer{}).DialContext(ctx, network, real)
}

// serve puts a handler behind "name:port", at address addr.
func (w *world) serve(name, addr string, port int, handle func(net.Conn)) {
	l := listen(w.t)
	w.place(name, addr, port, l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
}

// place puts a running server behind "name:port".
func (w *world) place(name, addr string, port int, real string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name != "" {
		w.names[name] = append(w.names[name], addr)
	}
	w.servers[netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(port)).String()] = real
}

// serveHTTP puts an HTTP server behind "name:port".
func (w *world) serveHTTP(name, addr string, port int, handle http.HandlerFunc) {
	l := listen(w.t)
	w.place(name, addr, port, l.Addr().String())
	server := &http.Server{Handler: handle}
	go server.Serve(l)
	w.t.Cleanup(func() { server.Close() })
}

func listen(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// open connects to the proxy port.
func (w *world) open() net.Conn {
	conn, err := net.Dial("tcp", w.proxy)
	if err != nil {
		w.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// say sends raw bytes to the proxy port and returns all it says until it
// closes, or until what it says contains stop.
func (w *world) say(raw, stop string) string {
	conn := w.open()
	io.WriteString(conn, raw)
	return readUntil(conn, stop)
}

func readUntil(r io.Reader, stop string) string {
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil || stop != "" && strings.Contains(string(all), stop) {
			return string(all)
		}
	}
}

// connect sends CONNECT and returns the connection and the status line.
func (w *world) connect(target string) (net.Conn, *http.Response) {
	conn := w.open()
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	resp, err := http.ReadResponse(bufio.NewReaderSize(oneByte{conn}, 16), &http.Request{Method: "CONNECT"})
	if err != nil {
		w.t.Fatalf("CONNECT %s: %v", target, err)
	}
	return conn, resp
}

// oneByte keeps a buffered reader from reading beyond a response's head.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.r.Read(b[:1]) }

// tunnel is connect for a target that must be allowed.
func (w *world) tunnel(target string) net.Conn {
	conn, resp := w.connect(target)
	if resp.StatusCode != 200 {
		body, _ := io.ReadAll(resp.Body)
		w.t.Fatalf("CONNECT %s: %s: %s", target, resp.Status, body)
	}
	return conn
}

// Denied returns the denials so far.
func (w *world) denied() []Denial {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Denial(nil), w.denials...)
}

func (w *world) wantDenials(n int) []Denial {
	w.t.Helper()
	var got []Denial
	for range 100 {
		if got = w.denied(); len(got) == n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("%d denials, want %d: %v", len(got), n, got)
	return nil
}

func (w *world) dialled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.dials...)
}

func (w *world) looked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.lookups...)
}

// echo answers with what it gets.
func echo(conn net.Conn) {
	defer conn.Close()
	io.Copy(conn, conn)
	closeWrite(conn)
}

func hostPort(t testing.TB, s string) target {
	hp, err := parseTarget(s)
	if err != nil {
		t.Fatal(err)
	}
	return hp
}

func peer(net.Conn) Process { return Process{PID: 42, Command: "curl"} }

// lineAllow is a denial's line with what would allow it.
func lineAllow(d policy.Denial) string {
	line := d.Line()
	for _, g := range d.Allow {
		line += "; " + g.String()
	}
	return line
}
