package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func connecting(w *world, to string, wait bool) error {
	return w.s.Connecting(context.Background(), netip.MustParseAddrPort(to), Process{PID: 7, Command: "tool"}, wait)
}

// What connect(2) says is what came of the connection outside, which the one that
// arrives is then joined to.
func TestConnecting(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	w.place("example.com", "198.51.100.1", 8, "127.0.0.1:1") // nobody listens there
	if got := w.dns("example.com.", dnsmessage.TypeA); got != "0 198.18.0.16" {
		t.Fatal(got)
	}
	if err := connecting(w, "198.18.0.16:8", true); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v", err)
	}
	if err := connecting(w, "198.18.0.16:8", false); err != nil {
		t.Errorf("a closed port, for who does not wait: %v", err)
	}
	if err := connecting(w, "198.18.0.16:7", true); err != nil {
		t.Fatal(err)
	}
	dialled := len(w.dialled())
	for _, more := range []int{0, 1} { // the second is dialled for when it arrives
		conn := w.transparent("198.18.0.16:7")
		io.WriteString(conn, "\x00ping")
		if got := readN(conn, 5); string(got) != "\x00ping" {
			t.Fatalf("%q", got)
		}
		if got := len(w.dialled()); got != dialled+more {
			t.Errorf("dialled %d times", got)
		}
	}
	if d := w.denied(); len(d) != 0 {
		t.Errorf("%v", d)
	}
}

func TestConnectingDenied(t *testing.T) {
	w := newWorld(t, "example.com", "")
	for i, wait := range []bool{true, false} {
		err := connecting(w, "198.51.100.9:80", wait)
		if _, denied := errors.AsType[*Denial](err); !denied {
			t.Errorf("waiting %v: %v", wait, err)
		}
		if d := w.wantDenials(i + 1)[i]; d.PID != 7 || d.Command != "tool" {
			t.Errorf("%+v", d)
		}
	}
	if err := connecting(w, "127.0.0.1:80", true); err != nil {
		t.Errorf("the sandbox's own loopback: %v", err)
	}
}

// Who does not wait is not asked about either: the connection itself is.
func TestConnectingAsks(t *testing.T) {
	asked := 0
	w := newWorld(t, "", "", asking(func(context.Context, Question) Answer { asked++; return AllowOnce }))
	w.serve("ask.test", "198.51.100.1", 22, echo)
	w.dns("ask.test.", dnsmessage.TypeA)
	if err := connecting(w, "198.18.0.16:22", false); err != nil || asked != 0 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if err := connecting(w, "169.254.169.254:80", false); err == nil {
		t.Error("an address that is never asked about")
	}
	if err := connecting(w, "198.18.0.16:22", true); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	w.transparent("198.18.0.16:22")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// A connection that nobody comes for ends with the server, and so does one that is
// being made when its caller goes.
func TestConnectingUnclaimed(t *testing.T) {
	w := newWorld(t, "example.com", "")
	gone := make(chan error, 1)
	w.serve("example.com", "198.51.100.1", 7, func(conn net.Conn) {
		_, err := conn.Read(make([]byte, 1))
		gone <- err
	})
	w.dns("example.com.", dnsmessage.TypeA)
	if err := connecting(w, "198.18.0.16:7", true); err != nil {
		t.Fatal(err)
	}
	w.s.Close()
	select {
	case err := <-gone:
		if err != io.EOF {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("still there")
	}
	if err := connecting(w, "198.18.0.16:7", true); err == nil {
		t.Error("connected by a server that is closed")
	}
}
