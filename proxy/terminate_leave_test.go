package proxy

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Nothing is left of a connection that is over, however it ended: no session,
// no goroutine, no connection to the server.
func TestTerminatedLeavesNothing(t *testing.T) {
	w := newSecureWorld(t, "example.com")
	w.serveTLS("example.com", "198.51.100.1", 443, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			io.Copy(rw, zeros{})
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/silent":
			<-r.Context().Done()
		}
	})
	before := runtime.NumGoroutine()
	for _, protocol := range []string{"h2", "http/1.1"} {
		for _, path := range []string{"/", "/endless", "/abort", "/silent"} {
			for range 2 {
				c := w.client(protocol)
				c.Timeout = 200 * time.Millisecond
				if resp, err := c.Get("https://example.com" + path); err == nil {
					io.CopyN(io.Discard, resp.Body, 1<<20)
					resp.Body.Close()
				}
				c.CloseIdleConnections()
			}
			if conn, err := w.dialTLS("example.com:443", "example.com", protocol); err == nil {
				reset(conn.NetConn())
			}
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if w.s.registry.Served() == 0 && runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	t.Errorf("%d sessions, %d goroutines, %d before:\n%s", w.s.registry.Served(), runtime.NumGoroutine(), before,
		strings.Join(strings.SplitN(string(stacks), "\n\n", 12), "\n\n"))
}
