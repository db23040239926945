package stub

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// bothProtocols listens at one port. What TCP has free may be another's in UDP.
func bothProtocols(t *testing.T) (l net.Listener, pc net.PacketConn) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if pc, err := net.ListenPacket("udp4", l.Addr().String()); err == nil {
			return l, pc
		}
		l.Close()
	}
	t.Fatal("no port that is free in TCP and in UDP")
	return nil, nil
}

// server answers over UDP with every message that say returns for a query, and over TCP
// with the last of them.
func server(t *testing.T, say func(q dnsmessage.Message) []dnsmessage.Message) netip.AddrPort {
	t.Helper()
	l, pc := bothProtocols(t)
	t.Cleanup(func() { l.Close(); pc.Close() })
	answer := func(query []byte) (replies [][]byte) {
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			t.Error(err)
		}
		for _, reply := range say(m) {
			b, err := reply.Pack()
			if err != nil {
				t.Error(err)
			}
			replies = append(replies, b)
		}
		return replies
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, reply := range answer(buf[:n]) {
				pc.WriteTo(reply, from)
			}
		}
	}()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			io.ReadFull(conn, size[:])
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			io.ReadFull(conn, query)
			for _, reply := range answer(query) {
				if reply[2]&2 == 0 { // not truncated
					conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
				}
			}
			conn.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// reply is the answer to a query, with a TXT record.
func reply(q dnsmessage.Message, text string) dnsmessage.Message {
	h := dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET}
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.ID, Response: true},
		Questions: slices.Clone(q.Questions),
		Answers:   []dnsmessage.Resource{{Header: h, Body: &dnsmessage.TXTResource{TXT: []string{text}}}},
	}
}

func ask(t *testing.T, servers ...netip.AddrPort) (string, error) {
	t.Helper()
	r := New(func() ([]netip.AddrPort, error) { return servers, nil })
	got, err := r.Ask(context.Background(), "Example.com", dnsmessage.TypeTXT)
	if err != nil {
		return "", err
	}
	text := strings.TrimPrefix(got.RCode.String(), "RCode")
	for _, a := range got.Answers {
		text += " " + a.Body.(*dnsmessage.TXTResource).TXT[0]
	}
	return text, nil
}

func TestAsk(t *testing.T) {
	change := func(change func(m *dnsmessage.Message)) func(q dnsmessage.Message) dnsmessage.Message {
		return func(q dnsmessage.Message) dnsmessage.Message {
			m := reply(q, "false")
			change(&m)
			return m
		}
	}
	for name, wrong := range map[string]func(q dnsmessage.Message) dnsmessage.Message{
		"id":           change(func(m *dnsmessage.Message) { m.ID++ }),
		"a query":      change(func(m *dnsmessage.Message) { m.Response = false }),
		"name":         change(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("example.org.") }),
		"type":         change(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }),
		"no question":  change(func(m *dnsmessage.Message) { m.Questions = nil }),
		"two of them":  change(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }),
		"another code": change(func(m *dnsmessage.Message) { m.OpCode = 4 }),
	} {
		s := server(t, func(q dnsmessage.Message) []dnsmessage.Message {
			return []dnsmessage.Message{wrong(q), reply(q, "true")}
		})
		if got, err := ask(t, s); got != "Success true" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// Ids and ports are not those of the question before, and names have no case.
func TestUnpredictable(t *testing.T) {
	var mu sync.Mutex
	ids := map[uint16]bool{}
	s := server(t, func(q dnsmessage.Message) []dnsmessage.Message {
		mu.Lock()
		defer mu.Unlock()
		ids[q.ID] = true
		if got := q.Questions[0].Name.String(); got != "example.com." {
			t.Errorf("asked for %s", got)
		}
		return []dnsmessage.Message{reply(q, "x")}
	})
	for range 20 {
		if _, err := ask(t, s); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) < 15 {
		t.Errorf("%d ids in 20 questions", len(ids))
	}
}

func TestTruncated(t *testing.T) {
	s := server(t, func(q dnsmessage.Message) []dnsmessage.Message {
		short := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Truncated: true}, Questions: q.Questions}
		return []dnsmessage.Message{short, reply(q, "long")}
	})
	if got, err := ask(t, s); got != "Success long" {
		t.Errorf("%q, %v", got, err)
	}
}

// A server that is not there, is silent or does not know is passed by for the next.
func TestNextServer(t *testing.T) {
	closed, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := netip.MustParseAddrPort(closed.LocalAddr().String())
	closed.Close()
	code := func(rcode dnsmessage.RCode) netip.AddrPort {
		return server(t, func(q dnsmessage.Message) []dnsmessage.Message {
			return []dnsmessage.Message{{Header: dnsmessage.Header{ID: q.ID, Response: true, RCode: rcode}, Questions: q.Questions}}
		})
	}
	silent := server(t, func(dnsmessage.Message) []dnsmessage.Message { return nil })
	good := server(t, func(q dnsmessage.Message) []dnsmessage.Message { return []dnsmessage.Message{reply(q, "x")} })
	for _, test := range []struct {
		servers []netip.AddrPort
		want    string
	}{
		{[]netip.AddrPort{gone, good}, "Success x"},
		{[]netip.AddrPort{silent, good}, "Success x"},
		{[]netip.AddrPort{code(dnsmessage.RCodeServerFailure), code(dnsmessage.RCodeRefused), good}, "Success x"},
		{[]netip.AddrPort{code(dnsmessage.RCodeNameError), good}, "NameError"},
		{[]netip.AddrPort{code(dnsmessage.RCodeRefused)}, ""},
		{[]netip.AddrPort{gone}, ""},
		{nil, ""},
	} {
		got, err := ask(t, test.servers...)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%v: %q, %v; want %q", test.servers, got, err, test.want)
		}
	}
}

// Silence ends, at once with the caller's context, and only so many may wait for it.
func TestBounds(t *testing.T) {
	silent := server(t, func(dnsmessage.Message) []dnsmessage.Message { return nil })
	r := New(func() ([]netip.AddrPort, error) { return []netip.AddrPort{silent}, nil })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	errs := make(chan error, 2*mostAsked)
	start := time.Now()
	for range 2 * mostAsked {
		go func() {
			_, err := r.Ask(ctx, "example.com", dnsmessage.TypeTXT)
			errs <- err
		}()
	}
	busy := 0
	for range 2 * mostAsked {
		err := <-errs
		if err == nil {
			t.Fatal("an answer")
		}
		if errors.Is(err, ErrBusy) {
			busy++
		}
	}
	if took := time.Since(start); took > 3*time.Second || busy < mostAsked/2 || busy > mostAsked {
		t.Errorf("%v, %d turned away", took, busy)
	}
	long := strings.Repeat("a.", 200)
	if _, err := r.Ask(context.Background(), long, dnsmessage.TypeTXT); err == nil {
		t.Error("a name that is too long")
	}
}

func TestResolvConf(t *testing.T) {
	for text, want := range map[string]string{
		"": "127.0.0.1:53",
		"# nameserver 192.0.2.9\nsearch test\nnameserver 192.0.2.1\n":                                                   "192.0.2.1:53",
		"nameserver\t2001:db8::1 x\nnameserver fe80::1%lo\nnameserver bad\n nameserver 192.0.2.2\nnameserver 192.0.2.3": "[2001:db8::1]:53 [fe80::1%lo]:53 192.0.2.2:53",
	} {
		var got []string
		for _, s := range parseResolvConf(text) {
			got = append(got, s.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}

// No message makes the parser fail otherwise than by an error, or pass for an answer to
// another question.
func FuzzParse(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("example.com."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET}
	const id = 7
	query, _, err := newQuery(q)
	if err != nil {
		f.Fatal(err)
	}
	query[0], query[1] = 0, id
	f.Add(query)
	m := reply(dnsmessage.Message{Header: dnsmessage.Header{ID: id}, Questions: []dnsmessage.Question{q}}, "x")
	b, _ := m.Pack()
	f.Add(b)
	f.Fuzz(func(t *testing.T, msg []byte) {
		if _, _, err := parse(msg, id, q); err == nil && (len(msg) < 12 || msg[0] != 0 || msg[1] != id || msg[2]&0x80 == 0) {
			t.Errorf("% x", msg)
		}
	})
}
