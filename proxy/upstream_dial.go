package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"srun/policy"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/socks5"
)

// dial connects to the proxy itself.
func (p *upstreamProxy) dial(ctx context.Context, s *Server) (net.Conn, error) {
	conn, err := p.dialTCP(ctx, s)
	if err != nil {
		return nil, &proxyDown{p.what, err}
	}
	if p.scheme != "https" {
		return conn, nil
	}
	secure := tls.Client(conn, &tls.Config{ServerName: p.host})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", p.what, err)
	}
	return secure, nil
}

func (p *upstreamProxy) dialTCP(ctx context.Context, s *Server) (net.Conn, error) {
	port, err := policy.ParsePort(p.port)
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(p.host); err == nil {
		return s.dialAddr(ctx, netip.AddrPortFrom(a, port))
	}
	h, err := policy.ParseHost(p.host)
	if err != nil {
		return nil, err
	}
	addrs, err := s.resolve(ctx, h)
	if err != nil {
		return nil, err
	}
	return s.dialAny(ctx, addrs, port)
}

// tunnel connects to a target through the proxy, which resolves the name.
func (p *upstreamProxy) tunnel(ctx context.Context, s *Server, to target) (net.Conn, error) {
	conn, err := p.dial(ctx, s)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	ask := p.askHTTP
	if p.socks() {
		ask = p.askSOCKS
	}
	joined, err := ask(conn, to)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return joined, nil
}

// askHTTP sends CONNECT.
func (p *upstreamProxy) askHTTP(conn net.Conn, to target) (net.Conn, error) {
	bw := bufio.NewWriter(conn)
	bw.WriteString("CONNECT " + to.String() + " HTTP/1.1\r\n")
	http1.WriteField(bw, "Host", to.String())
	p.writeAuth(bw)
	bw.WriteString("\r\n")
	if err := bw.Flush(); err != nil {
		return nil, p.broke(err)
	}
	br := bufio.NewReader(&budgetReader{r: conn, left: maxResponseHead})
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return nil, p.broke(err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, &proxyRefusal{p.what, resp.StatusCode, oneline.Printable(resp.Status)}
	}
	return withPreread(conn, br), nil
}

// broke is an error of the connection to the proxy.
func (p *upstreamProxy) broke(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s closed the connection", p.what)
	}
	return fmt.Errorf("%s: %w", p.what, err)
}

// askSOCKS sends a SOCKS5 CONNECT with the name as it is.
func (p *upstreamProxy) askSOCKS(conn net.Conn, to target) (net.Conn, error) {
	br := bufio.NewReader(conn)
	err := socks5.Connect(conn, br, p.user, to.HostPort)
	if e, ok := errors.AsType[*socks5.Error](err); ok {
		status := http.StatusBadGateway
		if e.Reply == socks5.NotAllowed {
			status = http.StatusForbidden
		}
		return nil, &proxyRefusal{p.what, status, e.Text}
	}
	if err != nil {
		return nil, p.broke(err)
	}
	return withPreread(conn, br), nil
}
