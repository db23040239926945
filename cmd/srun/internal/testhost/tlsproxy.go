//go:build linux

package testhost

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// A tlsReader is a proxy that reads what its clients encrypt, as mitmproxy
// does: it answers CONNECT, ends TLS with a certificate of its own, and sends
// each request on over a connection of its own. Responses carry the field
// X-Read-By; a path of /forbidden gets its own 403.
type tlsReader struct {
	ca     *authority
	client *http.Transport
}

// tlsProxy runs one until the script ends and writes its authority to CAFILE.
func tlsProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tlsproxy PORT CAFILE")
	}
	ca, err := newAuthority()
	ts.Check(err)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), own, 0o644))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ts.ReadFile(machine{dir: Dir()}.caPath())))
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", args[0]))
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	p := &tlsReader{ca, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
}

// serve takes one CONNECT and the requests in it.
func (p *tlsReader) serve(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	req, err := http.ReadRequest(br)
	if err != nil || req.Method != http.MethodConnect {
		_, _ = io.WriteString(conn, "HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	inner := tls.Server(conn, &tls.Config{GetCertificate: p.ca.leaf})
	for br := bufio.NewReader(inner); ; {
		inside, err := http.ReadRequest(br)
		if err != nil || p.answer(inner, req.Host, inside) != nil {
			return
		}
	}
}

// answer sends one request on and its response back.
func (p *tlsReader) answer(w io.Writer, host string, req *http.Request) error {
	req.URL.Scheme, req.URL.Host, req.RequestURI = "https", host, ""
	if req.URL.Path == "/forbidden" {
		const text = "the tls proxy says no\n"
		resp := http.Response{StatusCode: http.StatusForbidden, ProtoMajor: 1, ProtoMinor: 1,
			ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text))}
		return resp.Write(w)
	}
	resp, err := p.client.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s: %w", host, err)
	}
	defer resp.Body.Close()
	resp.Header.Set("X-Read-By", "tlsproxy")
	return resp.Write(w)
}
