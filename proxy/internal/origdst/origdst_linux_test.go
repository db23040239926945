package origdst

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// A connection that nobody redirected was going where it arrived.
func TestOf(t *testing.T) {
	for _, listen := range []string{"127.0.0.7:0", "[::1]:0"} {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Of(conn); err != nil || got.String() != l.Addr().String() {
			t.Errorf("%s: %v, %v", listen, got, err)
		}
		conn.Close()
		if got, err := Of(conn); err == nil {
			t.Errorf("%s: a closed connection was going to %v", listen, got)
		}
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got, err := Of(a); err == nil {
		t.Errorf("a pipe was going to %v", got)
	}
}

// A reply leaves from the address that its query was sent to.
func TestReplyFrom(t *testing.T) {
	for listen, to := range map[string]string{"0.0.0.0": "127.0.0.9", "::": "::1"} {
		server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(listen)})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		if err := TellDestination(server); err != nil {
			t.Fatal(err)
		}
		client, err := net.ListenUDP("udp", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		asked := netip.AddrPortFrom(netip.MustParseAddr(to), uint16(server.LocalAddr().(*net.UDPAddr).Port))
		deadline := time.Now().Add(5 * time.Second)
		client.SetDeadline(deadline)
		server.SetDeadline(deadline)
		client.WriteToUDPAddrPort([]byte("query"), asked)
		buf, oob := make([]byte, 3), make([]byte, 256)
		n, oobn, flags, from, err := server.ReadMsgUDPAddrPort(buf, oob)
		if err != nil || n != len(buf) || !Truncated(flags) {
			t.Fatalf("%s: %d bytes, flags %#x, %v", to, n, flags, err)
		}
		if _, _, err := server.WriteMsgUDPAddrPort(buf, ReplyFrom(oob[:oobn]), from); err != nil {
			t.Fatal(err)
		}
		if _, from, err := client.ReadFromUDPAddrPort(buf); err != nil || from.Addr().Unmap() != asked.Addr() {
			t.Errorf("asked %v, answered from %v, %v", asked, from, err)
		}
	}
	for _, oob := range [][]byte{nil, {1, 2, 3}, make([]byte, 64)} {
		if got := ReplyFrom(oob); got != nil {
			t.Errorf("% x: % x", oob, got)
		}
	}
}
