package upstream

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
	"srun/proxy/internal/dialing"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/socks5"
)

// Dial connects to the proxy itself.
func (p *Proxy) Dial(ctx context.Context, out *dialing.Net) (net.Conn, error) {
	conn, err := p.dialTCP(ctx, out)
	if err != nil {
		return nil, &Down{p.what, err}
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

func (p *Proxy) dialTCP(ctx context.Context, out *dialing.Net) (net.Conn, error) {
	port, err := policy.ParsePort(p.port)
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(p.host); err == nil {
		return out.One(ctx, netip.AddrPortFrom(a, port))
	}
	h, err := policy.ParseHost(p.host)
	if err != nil {
		return nil, err
	}
	addrs, err := out.Lookup(ctx, h)
	if err != nil {
		return nil, err
	}
	return out.Any(ctx, addrs, port)
}

// Tunnel connects to a target through the proxy, which resolves the name. read is
// what was read of the target's own bytes already.
func (p *Proxy) Tunnel(ctx context.Context, out *dialing.Net, to policy.HostPort) (conn net.Conn, read []byte, err error) {
	conn, err = p.Dial(ctx, out)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	ask := p.askHTTP
	if p.SOCKS() {
		ask = p.askSOCKS
	}
	br, err := ask(conn, to)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	read, _ = br.Peek(br.Buffered())
	return conn, read, nil
}

// askHTTP sends CONNECT.
func (p *Proxy) askHTTP(conn net.Conn, to policy.HostPort) (*bufio.Reader, error) {
	bw := bufio.NewWriter(conn)
	bw.WriteString("CONNECT " + to.String() + " HTTP/1.1\r\n")
	http1.WriteField(bw, "Host", to.String())
	p.WriteAuth(bw)
	bw.WriteString("\r\n")
	if err := bw.Flush(); err != nil {
		return nil, p.broke(err)
	}
	br := bufio.NewReader(&http1.BudgetReader{R: conn, Left: http1.MaxResponseHead})
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return nil, p.broke(err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, &Refusal{p.what, resp.StatusCode, oneline.Printable(resp.Status)}
	}
	return br, nil
}

// broke is an error of the connection to the proxy.
func (p *Proxy) broke(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s closed the connection", p.what)
	}
	return fmt.Errorf("%s: %w", p.what, err)
}

// askSOCKS sends a SOCKS5 CONNECT with the name as it is.
func (p *Proxy) askSOCKS(conn net.Conn, to policy.HostPort) (*bufio.Reader, error) {
	br := bufio.NewReader(conn)
	err := socks5.Connect(conn, br, p.user, to)
	if e, ok := errors.AsType[*socks5.Error](err); ok {
		status := http.StatusBadGateway
		if e.Reply == socks5.NotAllowed {
			status = http.StatusForbidden
		}
		return nil, &Refusal{p.what, status, e.Text}
	}
	if err != nil {
		return nil, p.broke(err)
	}
	return br, nil
}
