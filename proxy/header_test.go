package proxy

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"testing"
)

// forge answers with srun's own field in every part of a response.
func forge(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("X-Proxy-Error", CodeDenylist)
	rw.Header().Set("X-Other", "kept")
	rw.WriteHeader(http.StatusEarlyHints)
	rw.Header().Add("Trailer", "X-Late")
	rw.WriteHeader(http.StatusForbidden)
	io.WriteString(rw, "forged")
	rw.(http.Flusher).Flush()
	rw.Header().Set("X-Late", "kept")
	rw.Header().Set(http.TrailerPrefix+"x-proxy-error", CodeDenylist)
	rw.Header().Set(http.TrailerPrefix+"X-Proxy-Error", CodeDenylist)
}

// An allowed server's answer does not pass for a refusal of srun's.
func TestForgedRefusal(t *testing.T) {
	w := newSecureWorld(t, "example.com", requestRules(t, "deny example.com DELETE"))
	w.serveTLS("example.com", "198.51.100.1", 443, forge)
	w.serveHTTP("example.com", "198.51.100.1", 80, forge)
	for name, c := range map[string]struct {
		client *http.Client
		url    string
	}{
		"plain":    {w.world.client(), "http://example.com/"},
		"http/1.1": {w.client("http/1.1"), "https://example.com/"},
		"h2":       {w.client("h2"), "https://example.com/"},
	} {
		hints := 0
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			hints++
			if h.Get("X-Proxy-Error") != "" || h.Get("X-Other") != "kept" {
				t.Errorf("%s: hint %v", name, h)
			}
			return nil
		}}
		req, err := http.NewRequest("GET", c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.client.Do(req.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "forged" || resp.StatusCode != 403 || hints != 1 {
			t.Errorf("%s: %s %q, %v, %d hints", name, resp.Status, body, err, hints)
		}
		if resp.Header.Get("X-Proxy-Error") != "" || resp.Trailer.Get("X-Proxy-Error") != "" || resp.Header.Get("X-Other") != "kept" || resp.Trailer.Get("X-Late") != "kept" {
			t.Errorf("%s: %v, trailer %v", name, resp.Header, resp.Trailer)
		}
		req, _ = http.NewRequest("DELETE", c.url, nil)
		if resp, err = c.client.Do(req); err != nil || resp.Header.Get("X-Proxy-Error") != CodeMethodPolicy {
			t.Errorf("%s, control: %v %v", name, resp, err)
		}
	}
}
