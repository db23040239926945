package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
)

// http2Conn serves HTTP/2 inside a terminated TLS connection, request by request.
// The framing of both sides is net/http's.
type http2Conn struct {
	c         *session
	term      *termination
	transport *http.Transport
	forward   *httputil.ReverseProxy

	mu      sync.Mutex
	servers []net.Conn // to the server, closed with the client's
}

// serveHTTP2 returns when the client's connection is closed.
func (c *session) serveHTTP2(term *termination, client *secureConn) {
	h := &http2Conn{c: c, term: term}
	windows := c.windows()
	defer c.http2.Add(-1)
	only := new(http.Protocols)
	only.SetHTTP2(true)
	h.transport = &http.Transport{
		DialTLSContext: h.dial, Protocols: only, HTTP2: windows,
		DisableCompression: true, MaxResponseHeaderBytes: http1.MaxResponseHead, IdleConnTimeout: idleTimeout,
	}
	quiet := log.New(io.Discard, "", 0)
	h.forward = &httputil.ReverseProxy{
		Rewrite: h.rewrite, Transport: h.transport, FlushInterval: -1, ErrorHandler: h.fail, ErrorLog: quiet,
	}
	server := &http.Server{
		Handler: h, Protocols: only, HTTP2: windows, ErrorLog: quiet, MaxHeaderBytes: http1.MaxHead, IdleTimeout: idleTimeout,
	}
	raw := client.raw.(*watchedConn)
	server.Serve(&oneListener{conn: client.Conn, closed: raw.closed})
	server.Close()
	h.transport.CloseIdleConnections()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.servers {
		conn.Close()
	}
}

// windows bound what is kept of bodies that their reader does not take. The
// count of connections is the caller's to take back.
func (f *filter) windows() *http.HTTP2Config {
	if f.http2.Add(1) > maxWideHTTP2 {
		return &http.HTTP2Config{MaxReceiveBufferPerConnection: narrowWindow, MaxReceiveBufferPerStream: narrowWindow}
	}
	return &http.HTTP2Config{MaxReceiveBufferPerConnection: wideWindow, MaxReceiveBufferPerStream: wideWindow / 8}
}

// dial is the only way from the transport to a network: to the site, whatever
// it was asked for.
func (h *http2Conn) dial(context.Context, string, string) (net.Conn, error) {
	h.mu.Lock()
	c := h.term.server
	h.term.server = nil
	h.mu.Unlock()
	if c == nil {
		var err error
		if c, err = h.term.redial(); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.servers = append(h.servers, c)
	return c.Conn, nil
}

// ServeHTTP forwards one request, if it is for the site and no rule is against
// it.
func (h *http2Conn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Date"] = nil // nor is any other field added to the server's
	w.Header()["Content-Type"] = nil
	err := h.check(r)
	defer h.c.requested.Add(-1)
	if h.c.requested.Add(1) > maxRequests && err == nil {
		err = &http1.BadRequest{Status: http.StatusServiceUnavailable, Text: "too many requests at once"}
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.term.g.passage.Request(r.Method)
	answer := serversWriter{w}
	h.forward.ServeHTTP(answer, r)
	answer.end()
}

func (h *http2Conn) check(r *http.Request) error {
	fields := http1.FromHeader(r.Header)
	switch {
	case r.Method == http.MethodConnect:
		return &http1.BadRequest{Status: http.StatusMethodNotAllowed, Text: "CONNECT inside a tunnel"}
	case !http1.IsToken(r.Method):
		return http1.Bad("not a method: %s", oneline.Quote(r.Method))
	case !strings.HasPrefix(r.RequestURI, "/") && r.RequestURI != "*", strings.Contains(r.RequestURI, "#"):
		return http1.Bad("not a path: %s", oneline.Quote(r.RequestURI))
	case strings.IndexFunc(r.RequestURI, func(c rune) bool { return c <= ' ' || c == 0x7f }) >= 0:
		return http1.Bad("not a path: %s", oneline.Quote(r.RequestURI))
	case !oneLength(r.Header["Content-Length"]):
		return http1.Bad("not a length: %s", oneline.Quote(strings.Join(r.Header["Content-Length"], ", ")))
	case strings.IndexFunc(r.Host, func(c rune) bool { return c <= ' ' || c >= 0x7f }) >= 0:
		return http1.Bad("not an authority: %s", oneline.Quote(r.Host))
	}
	for _, host := range append(fields.Values("Host"), r.Host) {
		if d := h.term.checkHost("HTTP :authority", host); d != nil {
			return d
		}
	}
	req := request{r.Method, r.RequestURI, fields}
	if d := h.c.requests.judge(h.term.g, req, h.term.hosts(r.Host)...); d != nil {
		return d
	}
	return nil
}

// oneLength reports that there is one Content-Length, of digits, or none.
func oneLength(values []string) bool {
	if len(values) == 0 {
		return true
	}
	_, err := strconv.ParseUint(values[0], 10, 63)
	return err == nil && len(values) == 1
}

// rewrite makes the request that goes out: the client's, with its path byte by
// byte, and without what is between two neighbours.
func (h *http2Conn) rewrite(p *httputil.ProxyRequest) {
	u := *p.In.URL
	u.Scheme, u.Host, u.Path, u.RawPath, u.RawQuery = "https", h.term.site.String(), "", "", ""
	if u.Opaque = "//" + p.In.Host + p.In.RequestURI; p.In.RequestURI == "*" {
		u.Opaque = "*"
	}
	p.Out.URL, p.Out.Host = &u, p.In.Host
	p.Out.Trailer = p.In.Trailer // the map that fills when the body is over
	p.Out.Header.Del("Host")
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = slices.Clone(values)
		}
	}
}

// fail answers a request that is refused or got no response.
func (h *http2Conn) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code, text := gatewayStatus(err), "", h.c.gatewayText(err)
	if d, ok := h.c.refused(err); ok {
		status, code, text = h.term.status(d), d.Code, h.c.told(d)
	} else if b, ok := http1.IsBad(err); ok {
		status, text = b.Status, b.Text
	}
	if failed, ok := w.(serversWriter); ok {
		w = failed.ResponseWriter // these words are ours
	}
	body := "srun: " + text + "\n"
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	if code != "" {
		header.Set(errorField, code)
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// oneListener hands out one connection, and ends when it is closed.
type oneListener struct {
	conn   *tls.Conn
	closed chan struct{}
	given  bool
}

func (l *oneListener) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error   { return nil }
func (l *oneListener) Addr() net.Addr { return l.conn.LocalAddr() }
