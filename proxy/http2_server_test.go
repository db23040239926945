package proxy

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawServer answers each HTTP/2 request in turn as it likes.
func rawServer(w *secureWorld, answer func(f *http2.Framer, id uint32, nth int)) {
	leaf, err := w.outside.Leaf("example.com")
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: []string{"h2"}}
	var nth atomic.Int32
	w.serve("example.com", "198.51.100.1", 443, func(raw net.Conn) {
		defer raw.Close()
		conn := tls.Server(raw, cfg)
		if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := http2.NewFramer(conn, conn)
		f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := frame.(*http2.HeadersFrame); ok {
				answer(f, h.StreamID, int(nth.Add(1)))
			}
		}
	})
}

// block encodes for a peer that has no table.
func block(fields ...string) []byte {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	enc.SetMaxDynamicTableSize(0)
	writeFields(enc, fields)
	return b.Bytes()
}

// What a server may do to a connection does not spoil it for the client, and
// what it may not do does not reach the client.
func TestHTTP2Servers(t *testing.T) {
	respond := func(f *http2.Framer, id uint32, fields ...string) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(fields...), EndStream: true, EndHeaders: true})
	}
	for name, test := range map[string]struct {
		answer func(f *http2.Framer, id uint32, nth int)
		want   []string // outcomes, any of each
	}{
		"goes away behind each answer": {func(f *http2.Framer, id uint32, _ int) {
			respond(f, id, ":status: 200")
			f.WriteGoAway(id, http2.ErrCodeNo, nil)
		}, []string{"200", "200", "200"}},
		"goes away before the second": {func(f *http2.Framer, id uint32, nth int) {
			if nth == 2 {
				f.WriteGoAway(id-2, http2.ErrCodeNo, nil) // it was not begun: to be sent again
				return
			}
			respond(f, id, ":status: 200")
		}, []string{"200", "200", "200"}},
		"resets": {func(f *http2.Framer, id uint32, nth int) {
			if nth == 1 {
				f.WriteRSTStream(id, http2.ErrCodeInternal)
				return
			}
			respond(f, id, ":status: 200")
		}, []string{"502 reset", "200"}},
		"a line break in a field": {func(f *http2.Framer, id uint32, nth int) {
			if nth == 1 {
				respond(f, id, ":status: 200", "x: a\r\nset-cookie: b")
				return
			}
			respond(f, id, ":status: 200")
		}, []string{"502 reset", "200"}},
		"no status": {func(f *http2.Framer, id uint32, nth int) {
			if nth == 1 {
				respond(f, id, "x: y")
				return
			}
			respond(f, id, ":status: 200")
		}, []string{"502 reset", "200"}},
		"pushes": {func(f *http2.Framer, id uint32, _ int) {
			f.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: block(goodGet...), EndHeaders: true})
			respond(f, id, ":status: 200")
		}, []string{"502 200 reset"}},
		"many interim answers": {func(f *http2.Framer, id uint32, _ int) {
			for range 2_000 {
				if f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status: 103", "link: "+strings.Repeat("x", 500)), EndHeaders: true}) != nil {
					return
				}
			}
			respond(f, id, ":status: 200")
		}, []string{"200 502 reset", "200 502 reset"}},
	} {
		w := newSecureWorld(t, "example.com")
		rawServer(w, test.answer)
		c := w.http2(t)
		for i, want := range test.want {
			if got := c.outcome(c.open(true, goodGet...)); !strings.Contains(" "+want+" ", " "+got+" ") {
				t.Errorf("%s: request %d: %s, want %s", name, i+1, got, want)
			}
		}
		c.conn.Close()
		waitSessions(t, w.s, 0)
	}
}

// A client that waits for 100 gets it, and its body arrives.
func TestHTTP2Expect(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	var s seen
	w.serveTLS("example.com", "198.51.100.1", 443, s.ServeHTTP)
	c := w.http2(t)
	id := c.open(false, ":method: POST", ":scheme: https", ":path: /", ":authority: example.com", "expect: 100-continue")
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := frame.(*http2.MetaHeadersFrame); ok {
			if status := f.PseudoValue("status"); status != "100" {
				t.Fatalf("%s before the body was sent", status)
			}
			break
		}
	}
	c.WriteData(id, true, []byte("body"))
	if got := c.outcome(id); got != "200" || s.all()[0] != `POST example.com / "body"` {
		t.Errorf("%s, the server got %q", got, s.all())
	}
}
