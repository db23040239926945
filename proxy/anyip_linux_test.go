package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The real thing, in a network namespace of the test's own: routes that make
// every address local, a redirect of all ports, and clients that know nothing
// of a proxy. The test runs itself again inside the namespace.
func TestEveryAddressIsLocal(t *testing.T) {
	const marker = "SRUN_PROXY_TEST_NETNS"
	if os.Getenv(marker) != "" {
		testEveryAddress(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestEveryAddressIsLocal$", "-test.v")
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in a namespace: %v\n%s", err, out)
	}
}

func testEveryAddress(t *testing.T) {
	w := newWorld(t, "example.com 198.51.100.7", "", func(c *Config) { c.HostAddrs = nil })
	w.serve("example.com", "198.51.100.1", 22, echo)
	w.serve("", "198.51.100.7", 22, echo)
	all, err := net.Listen("tcp", "[::]:15001")
	if err != nil {
		t.Fatal(err)
	}
	go w.s.ServeTransparent(all)
	for _, line := range []string{
		"ip link set lo up",
		"ip route add local 0.0.0.0/0 dev lo",
		"ip -6 route add local ::/0 dev lo",
		"nft add table inet t",
		"nft add chain inet t out { type nat hook output priority -100 ; }",
		"nft add rule inet t out ip daddr != 127.0.0.0/8 tcp dport != 53 redirect to :15001",
		"nft add rule inet t out ip6 daddr != ::1 tcp dport != 53 redirect to :15001",
	} {
		f := strings.Fields(line)
		if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", line, err, out)
		}
	}
	t.Run("dns", func(t *testing.T) { testDNSEverywhere(t, w) })
	for _, dest := range []string{"198.18.0.16:22", "[fd5f:7372:756e::10]:22", "198.51.100.7:22"} {
		conn, err := net.DialTimeout("tcp", dest, 5*time.Second)
		if err != nil {
			t.Errorf("%s: %v", dest, err)
			continue
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(conn, "\x00ping")
		if got := readN(conn, 5); string(got) != "\x00ping" {
			t.Errorf("%s: %q, denials %v", dest, got, w.denied())
		}
		conn.Close()
	}
	// Without the redirect: a listener on the port itself, as for 22, 80 and 443.
	direct, err := net.Listen("tcp", "[::]:53")
	if err != nil {
		t.Fatal(err)
	}
	w.serve("", "198.51.100.7", 53, echo)
	go w.s.ServeTransparent(direct)
	conn, err := net.DialTimeout("tcp", "198.51.100.7:53", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "\x00ping")
	if got := readN(conn, 5); string(got) != "\x00ping" {
		t.Errorf("direct: %q, denials %v", got, w.denied())
	}
	if d := w.denied(); len(d) > 0 {
		t.Errorf("denials %v", d)
	}
	if conn, err := net.Dial("tcp", "192.0.2.1:22"); err == nil {
		if !wasReset(conn) {
			t.Error("192.0.2.1:22 is not reset")
		}
	}
	if d := w.wantDenials(1)[0]; d.Target != "192.0.2.1:22" {
		t.Errorf("%+v", d)
	}
}

// testDNSEverywhere asks name servers anywhere, over connected sockets: those
// take a reply only from the address they asked.
func testDNSEverywhere(t *testing.T, w *world) {
	for _, network := range []string{"udp4", "udp6"} {
		pc, err := net.ListenPacket(network, ":53")
		if err != nil {
			t.Fatal(err)
		}
		go w.s.ServeDNS(pc)
	}
	both, err := net.ListenPacket("udp", "[::]:5353")
	if err != nil {
		t.Fatal(err)
	}
	go w.s.ServeDNS(both)
	for _, server := range []string{"8.8.8.8:53", "127.0.0.53:53", "[2001:4860:4860::8888]:53", "[::1]:53", "9.9.9.9:5353", "[2620:fe::fe]:5353"} {
		r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", server)
		}}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		got, err := r.LookupNetIP(ctx, "ip", "example.com.")
		cancel()
		if fmt.Sprint(got) != "[198.18.0.16 fd5f:7372:756e::10]" {
			t.Errorf("%s: %v %v", server, got, err)
		}
	}
}
