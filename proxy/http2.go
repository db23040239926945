package proxy

import (
	"context"
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

// http2Conn serves HTTP/2, request by request: inside a terminated TLS connection, or
// in the clear. The framing of both sides is net/http's.
type http2Conn struct {
	c         *session
	g         grant
	term      *termination // nil in the clear
	transport *http.Transport
	forward   *httputil.ReverseProxy

	mu      sync.Mutex
	first   net.Conn   // to the server, for the first request; nil when taken
	servers []net.Conn // to the server, closed with the client's
}

// serveHTTP2 returns when the client's connection is closed.
func (c *session) serveHTTP2(term *termination, client *secureConn) {
	h := &http2Conn{c: c, g: term.g, term: term}
	if term.server != nil {
		h.first = term.server
	}
	h.serve(client.Conn, client.raw.(*watchedConn).closed)
}

// serve returns when closed is, and the client's connection with it.
func (h *http2Conn) serve(client net.Conn, closed chan struct{}) {
	windows := h.c.windows()
	defer h.c.http2.Add(-1)
	only := new(http.Protocols)
	only.SetHTTP2(h.term != nil)
	only.SetUnencryptedHTTP2(h.term == nil)
	h.transport = &http.Transport{
		DialContext: h.dial, DialTLSContext: h.dial, Protocols: only, HTTP2: windows,
		DisableCompression: true, MaxResponseHeaderBytes: http1.MaxResponseHead, IdleConnTimeout: idleTimeout,
	}
	quiet := log.New(io.Discard, "", 0)
	h.forward = &httputil.ReverseProxy{
		Rewrite: h.rewrite, Transport: h.transport, FlushInterval: -1, ErrorHandler: h.fail, ErrorLog: quiet,
	}
	server := &http.Server{
		Handler: h, Protocols: only, HTTP2: windows, ErrorLog: quiet, MaxHeaderBytes: http1.MaxHead, DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: headTimeout, IdleTimeout: idleTimeout,
	}
	server.Serve(&oneListener{conn: client, closed: closed})
	server.Close()
	h.transport.CloseIdleConnections()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range append(h.servers, h.first) {
		if conn != nil {
			conn.Close()
		}
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
func (h *http2Conn) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	h.mu.Lock()
	conn := h.first
	h.first = nil
	h.mu.Unlock()
	if conn == nil {
		var err error
		if conn, err = h.redial(ctx); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.servers = append(h.servers, conn)
	if secure, ok := conn.(*secureConn); ok {
		return secure.Conn, nil
	}
	return conn, nil
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
	h.g.passage.Request(r.Method)
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
		if d := h.checkHost(host); d != nil {
			return d
		}
	}
	req := request{r.Method, r.RequestURI, fields}
	if d := h.c.requests.judge(h.g, req, h.hosts(r.Host)...); d != nil {
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
	u.Path, u.RawPath, u.RawQuery = "", "", ""
	u.Scheme, u.Host = h.origin()
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
		status, code, text = h.status(d), d.Code, h.c.told(d)
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
	conn   net.Conn
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
