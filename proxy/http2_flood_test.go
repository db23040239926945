package proxy

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// heap is the memory in use, in MiB.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse >> 20)
}

// stillServes says that the proxy works for others.
func stillServes(t *testing.T, w *secureWorld) {
	t.Helper()
	c := w.http2(t)
	if got := c.outcome(c.open(true, goodGet...)); got != "200" {
		t.Errorf("another connection: %s", got)
	}
}

// Floods of frames end the connection or are borne, within bounds.
func TestHTTP2Floods(t *testing.T) {
	for name, flood := range map[string]func(*h2) error{
		"rapid reset": func(c *h2) error {
			for range 20_000 {
				id := c.open(true, goodGet...)
				if err := c.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
					return err
				}
			}
			return nil
		},
		"settings": func(c *h2) error {
			for range 100_000 {
				if err := c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}); err != nil {
					return err
				}
			}
			return nil
		},
		"pings": func(c *h2) error {
			for range 100_000 {
				if err := c.WritePing(false, [8]byte{}); err != nil {
					return err
				}
			}
			return nil
		},
		"continuations": func(c *h2) error {
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields(goodGet...)})
			for range 20_000 {
				if err := c.WriteContinuation(1, false, c.fields("x: "+strings.Repeat("y", 1000))); err != nil {
					return err
				}
			}
			return nil
		},
		"empty continuations": func(c *h2) error {
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields(goodGet...)})
			for range 100_000 {
				if err := c.WriteContinuation(1, false, nil); err != nil {
					return err
				}
			}
			return nil
		},
		"a field repeated by reference": func(c *h2) error {
			block := c.fields(good("x: " + strings.Repeat("y", 3900))...)
			block = append(block, []byte(strings.Repeat("\xbe", 15_000))...) // the newest of the table
			c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true, EndHeaders: true})
			return nil
		},
		"windows": func(c *h2) error {
			for range 100_000 {
				if err := c.WriteWindowUpdate(0, 1); err != nil {
					return err
				}
			}
			return nil
		},
		"priorities": func(c *h2) error {
			for i := range uint32(100_000) {
				if err := c.WritePriority(2*i+1, http2.PriorityParam{StreamDep: 0}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSecureWorld(t, "example.com")
			w.serveTLS("example.com", "198.51.100.1", 443, func(http.ResponseWriter, *http.Request) {})
			before, routines := heap(), runtime.NumGoroutine()
			c := w.http2(t)
			begun := time.Now()
			err := flood(c)
			if grown := heap() - before; grown > 64 {
				t.Errorf("%d MiB more", grown)
			}
			if n := runtime.NumGoroutine() - routines; n > 1200 {
				t.Errorf("%d goroutines more", n)
			}
			t.Logf("%v, ended by %v", time.Since(begun).Round(time.Millisecond), err)
			stillServes(t, w)
			c.conn.Close()
			waitSessions(t, w.s, 1) // that of stillServes
		})
	}
}

// Responses that nobody reads are not kept: their servers have to wait.
func TestHTTP2StalledReaders(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			io.Copy(rw, zeros{})
		}
	})
	before := heap()
	for range 4 {
		c := w.http2(t)
		c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for range 100 {
			c.open(true, ":method: GET", ":scheme: https", ":path: /endless", ":authority: example.com")
		}
	}
	time.Sleep(2 * time.Second)
	if grown := heap() - before; grown > 100 {
		t.Errorf("%d MiB more", grown)
	}
	stillServes(t, w)
}

// A few responses that nobody reads leave room for others on their connection.
func TestHTTP2FewStalled(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			io.Copy(rw, zeros{})
		}
		io.CopyN(rw, zeros{}, 5<<20)
	})
	c := w.client("h2")
	for range 5 {
		resp, err := c.Get("https://example.com/endless")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	time.Sleep(200 * time.Millisecond)
	if _, body := ask(t, c, "GET", "https://example.com/", ""); len(body) != 5<<20 {
		t.Errorf("%d bytes", len(body))
	}
}

// A server's fields without end are not waited for.
func TestHTTP2HugeResponse(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
		for i := range 600 {
			rw.Header().Set("X-"+string(rune('A'+i%26))+string(rune('a'+i/26)), strings.Repeat("y", 1000))
		}
	})
	c := w.http2(t)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if got := c.outcome(c.open(true, goodGet...)); got != "502" {
		t.Errorf("%s", got)
	}
}
