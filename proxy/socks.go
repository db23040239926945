package proxy

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"syscall"
	"time"

	"srun/proxy/internal/dialing"
	"srun/proxy/internal/socks5"
	"srun/proxy/internal/upstream"
)

// serveSOCKS serves one SOCKS5 request, with c's read deadline running.
func (c *session) serveSOCKS(br *bufio.Reader) {
	if socks5.Greet(br, c.conn) != nil {
		return
	}
	to, err := socksTarget(br)
	if err != nil {
		c.socksFail(err)
		return
	}
	c.conn.SetReadDeadline(time.Time{})
	g, upstream, err := c.connect(to, c.asking())
	if err != nil {
		c.socksFail(err)
		return
	}
	if socks5.WriteReply(c.conn, socks5.OK) != nil {
		upstream.Close()
		return
	}
	preread, _ := br.Peek(br.Buffered())
	c.carry(g, upstream, preread)
}

// socksTarget is the border: the bytes of a request become a target. A name that
// is an odd spelling of an address is refused, as in HTTP.
func socksTarget(br *bufio.Reader) (target, error) {
	authority, err := socks5.ReadRequest(br)
	if err != nil {
		return target{}, err
	}
	to, err := parseTarget(authority)
	if err != nil {
		return to, badTarget(authority, err)
	}
	return to, nil
}

// socksFail answers a request that failed.
func (c *session) socksFail(err error) {
	c.refused(err)
	if socks5.WriteReply(c.conn, socksReplyFor(err)) == nil {
		drain(c.conn)
	}
}

func socksReplyFor(err error) byte {
	if e, ok := errors.AsType[*socks5.Error](err); ok {
		return e.Reply
	}
	if e, ok := errors.AsType[*upstream.Refusal](err); ok && e.Status == http.StatusForbidden {
		return socks5.NotAllowed
	}
	_, denied := errors.AsType[*Denial](err)
	_, unresolved := errors.AsType[*dialing.ResolveError](err)
	switch {
	case denied:
		return socks5.NotAllowed
	case isTimeout(err) || errors.Is(err, context.DeadlineExceeded):
		return socks5.TTLExpired
	case unresolved || errors.Is(err, syscall.EHOSTUNREACH):
		return socks5.HostUnreachable
	case errors.Is(err, syscall.ENETUNREACH):
		return socks5.NetworkUnreachable
	case errors.Is(err, syscall.ECONNREFUSED):
		return socks5.ConnectionRefused
	}
	return socks5.Failure
}
