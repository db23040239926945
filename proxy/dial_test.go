package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A name is resolved once, and what it resolved to is dialled, whatever it
// would resolve to next.
func TestRebinding(t *testing.T) {
	w := newWorld(t, "rebind.test", "")
	w.serve("", "198.51.100.1", 7, echo)
	answers := [][]string{{"198.51.100.1"}, {"127.0.0.1"}, {"198.51.100.1"}}
	w.s.dials.out.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
		w.mu.Lock()
		w.names[host], answers = answers[0], answers[1:]
		w.mu.Unlock()
		return w.resolve(ctx, host)
	}
	for i, want := range []int{200, 403, 200} {
		if _, resp := w.connect("rebind.test:7"); resp.StatusCode != want {
			t.Errorf("%d: %s", i, resp.Status)
		}
	}
	if got := w.dialled(); !slices.Equal(got, []string{"198.51.100.1:7", "198.51.100.1:7"}) || len(w.looked()) != 3 {
		t.Errorf("dialled %v, resolved %d times", got, len(w.looked()))
	}
}

// Of a mixed answer only what passes is dialled.
func TestMixedAnswers(t *testing.T) {
	w := newWorld(t, "mixed.test own.test *.wild.test", "")
	w.serve("", "198.51.100.1", 7, echo)
	w.names["mixed.test"] = []string{"127.0.0.1", "::1", "169.254.169.254", "198.51.100.1", "::ffff:127.0.0.1", "198.51.100.1"}
	w.names["own.test"] = []string{"203.0.113.77"}
	w.names["mixed.wild.test"] = []string{"10.0.0.1", "198.51.100.1"}
	for target, want := range map[string]int{"mixed.test:7": 200, "own.test:7": 403, "mixed.wild.test:7": 200} {
		if _, resp := w.connect(target); resp.StatusCode != want {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
	for _, d := range w.dialled() {
		if d != "198.51.100.1:7" {
			t.Errorf("dialled %s", d)
		}
	}
}

func TestLiterals(t *testing.T) {
	w := newWorld(t, "10.0.0.5 127.0.0.1:8080 localhost:5432 169.254.169.254:80 10.9.0.0/16 127.7.0.0/16 198.18.0.1 192.0.2.1", "10.9.9.9", func(c *Config) {
		c.DeniedAddresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	for _, at := range []string{"10.0.0.5:7", "127.0.0.1:8080", "127.0.0.1:5432", "169.254.169.254:80", "10.9.1.1:7", "127.7.0.1:7", "198.18.0.1:7", "192.0.2.1:7", "10.9.9.9:7"} {
		a := netip.MustParseAddrPort(at)
		w.serve("", a.Addr().String(), int(a.Port()), echo)
	}
	for target, want := range map[string]int{
		"10.0.0.5:7":          200,
		"[::ffff:10.0.0.5]:7": 200, // the same address
		"127.0.0.1:8080":      200,
		"127.0.0.1:8081":      403,
		"localhost:5432":      200,
		"127.0.0.1:5432":      200, // what localhost looked up to
		"LOCALHOST.:5432":     200,
		"localhost:8081":      403,
		"127.0.0.2:5432":      403,
		"169.254.169.254:80":  200, // the user names it
		"169.254.169.254:81":  403,
		"10.9.1.1:7":          200,
		"10.9.9.9:7":          403, // a deny rule
		"127.7.0.1:7":         403, // a range is not that very address
		"198.18.0.1:7":        200,
		"192.0.2.1:7":         403, // deniedResolvedAddresses
	} {
		if _, resp := w.connect(target); resp.StatusCode != want {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
	if got := w.looked(); len(got) > 0 {
		t.Errorf("resolved %v", got)
	}
}

// A wildcard never reaches localhost, and no name may resolve to it.
func TestLocalhostIsNoName(t *testing.T) {
	w := newWorld(t, "* sneaky.test", "")
	w.names["sneaky.test"] = []string{"127.0.0.1"}
	w.names["localhost"] = []string{"127.0.0.1"}
	w.serve("", "127.0.0.1", 7, echo)
	for _, target := range []string{"localhost:7", "127.0.0.1:7", "sneaky.test:7", "[::1]:7"} {
		if _, resp := w.connect(target); resp.StatusCode != 403 {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
}

func TestHappyEyeballs(t *testing.T) {
	w := newWorld(t, "slow.test dead.test", "")
	w.names["slow.test"] = []string{"2001:db8::1", "2001:db8::2", "198.51.100.1"}
	w.names["dead.test"] = []string{"2001:db8::3", "198.51.100.3"}
	w.serve("", "198.51.100.1", 7, echo)
	dial := w.s.dials.out.Dial
	w.s.dials.out.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "[2001:db8::1]") {
			<-ctx.Done() // an address that never answers
			return nil, ctx.Err()
		}
		return dial(ctx, network, addr)
	}
	const stagger = 250 * time.Millisecond // dialing's
	start := time.Now()
	conn := w.tunnel("slow.test:7")
	if took := time.Since(start); took < stagger || took > 4*stagger {
		t.Errorf("took %v", took)
	}
	io.WriteString(conn, "\x00")
	if got := readN(conn, 1); len(got) != 1 {
		t.Error("no echo")
	}
	start = time.Now()
	if _, resp := w.connect("dead.test:7"); resp.StatusCode != 502 || time.Since(start) > stagger {
		t.Errorf("%s after %v", resp.Status, time.Since(start))
	}
}

func TestTimeoutsAreToldApart(t *testing.T) {
	w := newWorld(t, "slow.test", "", func(c *Config) {
		c.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, context.DeadlineExceeded }
	})
	if _, resp := w.connect("slow.test:7"); resp.StatusCode != 504 {
		t.Error(resp.Status)
	}
}

func TestSetDomains(t *testing.T) {
	w := newWorld(t, "a.test", "")
	w.serve("a.test", "198.51.100.1", 7, echo)
	w.serve("b.test", "198.51.100.1", 7, echo)
	open := w.tunnel("a.test:7")
	w.s.SetDomains(rules(t, "b.test", ""))
	for target, want := range map[string]int{"a.test:7": 403, "b.test:7": 200} {
		if _, resp := w.connect(target); resp.StatusCode != want {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
	io.WriteString(open, "\x00still")
	if got := readN(open, 6); string(got) != "\x00still" {
		t.Errorf("an open tunnel: %q", got)
	}
	w.s.SetDomains(nil)
	if _, resp := w.connect("b.test:7"); resp.StatusCode != 403 {
		t.Error(resp.Status)
	}
}

func TestClose(t *testing.T) {
	asked := make(chan struct{})
	w := newWorld(t, "a.test", "", func(c *Config) {
		c.Ask = func(ctx context.Context, _ Question) Answer { close(asked); <-ctx.Done(); return AllowOnce }
	})
	w.serve("a.test", "198.51.100.1", 7, echo)
	tunnel, idle, waiting := w.tunnel("a.test:7"), w.open(), w.open()
	io.WriteString(waiting, "CONNECT b.test:7 HTTP/1.1\r\nHost: b.test:7\r\n\r\n")
	<-asked
	w.s.Close()
	for name, conn := range map[string]net.Conn{"tunnel": tunnel, "idle": idle, "waiting": waiting} {
		if got := readUntil(conn, ""); strings.Contains(got, "200") {
			t.Errorf("%s: %q", name, got)
		}
	}
	waitSessions(t, w.s, 0)
	if _, err := net.Dial("tcp", w.proxy); err == nil {
		t.Error("the listener is open")
	}
	if err := w.s.ServeProxy(listen(t)); err != nil {
		t.Errorf("serve after close: %v", err)
	}
}

func TestZeroConfigDenies(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	_, err := s.decide.admit(context.Background(), hostPort(t, "example.com:443"), askingDoor{})
	if d, ok := errors.AsType[*Denial](err); !ok || d.Code != CodeAllowlist {
		t.Error(err)
	}
	_, err = s.decide.admit(context.Background(), target{}, askingDoor{})
	if err == nil {
		t.Error("the zero target is allowed")
	}
}

// A denied address is denied to every name that resolves to it, and in every
// form.
func TestDeniedAddressByName(t *testing.T) {
	w := newWorld(t, "*.test localhost:8080 64:ff9b::c633:6402 198.51.100.0/24", "198.51.100.2 198.51.100.3:7 127.0.0.0/8 ::1 2001:db8:1::/48")
	for _, addr := range []string{"198.51.100.1", "198.51.100.3"} {
		w.serve("", addr, 7, echo)
		w.serve("", addr, 8, echo)
	}
	w.names["free.test"] = []string{"198.51.100.1"}
	w.names["denied.test"] = []string{"198.51.100.2"}
	w.names["mixed.test"] = []string{"198.51.100.2", "2001:db8:1::5", "198.51.100.1"}
	w.names["port.test"] = []string{"198.51.100.3"}
	w.names["six.test"] = []string{"2001:db8:1::5"}
	w.names["form.test"] = []string{"64:ff9b::c633:6402"}
	for target, want := range map[string]string{
		"free.test:7":            "",
		"mixed.test:7":           "",
		"port.test:8":            "",
		"port.test:7":            "denied network port.test:7 (resolves to 198.51.100.3, denied by rule 198.51.100.3:7)",
		"denied.test:7":          "denied network denied.test:7 (resolves to 198.51.100.2, denied by rule 198.51.100.2)",
		"six.test:7":             "denied network six.test:7 (resolves to 2001:db8:1::5, denied by rule 2001:db8:1::/48)",
		"form.test:7":            "denied network form.test:7 (resolves to 64:ff9b::c633:6402, denied by rule 198.51.100.2)",
		"[64:ff9b::c633:6402]:7": "denied network [64:ff9b::c633:6402]:7 (denied by rule 198.51.100.2)",
		"localhost:8080":         "denied network localhost:8080 (resolves to 127.0.0.1, denied by rule 127.0.0.0/8)",
	} {
		_, resp := w.connect(target)
		if want == "" {
			if resp.StatusCode != 200 {
				t.Errorf("%s: %s", target, resp.Status)
			}
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.Header.Get("X-Proxy-Error") != CodeDenylist || string(body) != "srun: "+want+"\n" {
			t.Errorf("%s: %s %s; want %s", target, resp.Status, body, want)
		}
	}
	for _, d := range w.dialled() {
		if !strings.HasPrefix(d, "198.51.100.1:") && d != "198.51.100.3:8" {
			t.Errorf("dialled %s", d)
		}
	}
}

func TestGuardCannotTell(t *testing.T) {
	w := newWorld(t, "example.com", "", func(c *Config) {
		c.HostAddrs = func() ([]netip.Addr, error) { return nil, errors.New("netlink is gone") }
	})
	w.serve("example.com", "198.51.100.1", 7, echo)
	if _, resp := w.connect("example.com:7"); resp.StatusCode != 502 || len(w.dialled()) > 0 {
		t.Errorf("%s, dialled %v", resp.Status, w.dialled())
	}
}
