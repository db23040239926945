package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"srun/policy"
)

// SOCKS5, RFC 1928: no authentication and CONNECT alone. The bytes are the
// RFC's.
const (
	socksVersion  = 5
	socksNoAuth   = 0
	socksNoMethod = 0xff
	socksConnect  = 1
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
)

// The replies in use.
const (
	socksOK         = 0
	socksFailure    = 1
	socksNotAllowed = 2
	socksNetwork    = 3
	socksHost       = 4
	socksRefused    = 5
	socksTTL        = 6
	socksNoCommand  = 7
	socksNoAddress  = 8
)

// socksError is a request that gets a reply other than success.
type socksError struct {
	reply byte
	text  string
}

func (e *socksError) Error() string { return e.text }

// serveSOCKS serves one SOCKS5 request, with c's read deadline running.
func (c *session) serveSOCKS(br *bufio.Reader) {
	if c.socksGreeting(br) != nil {
		return
	}
	target, err := readSOCKSRequest(br)
	if err != nil {
		c.socksFail(err)
		return
	}
	c.conn.SetReadDeadline(time.Time{})
	g, upstream, err := c.connect(c.s.ctx, target)
	if err != nil {
		c.socksFail(err)
		return
	}
	if c.socksReply(socksOK) != nil {
		upstream.Close()
		return
	}
	early, _ := br.Peek(br.Buffered())
	c.tunnel(g, upstream, early)
}

// socksGreeting settles on no authentication.
func (c *session) socksGreeting(br *bufio.Reader) error {
	var head [2]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(br, methods); err != nil {
		return err
	}
	for _, m := range methods {
		if m == socksNoAuth {
			_, err := c.conn.Write([]byte{socksVersion, socksNoAuth})
			return err
		}
	}
	c.conn.Write([]byte{socksVersion, socksNoMethod})
	return errors.New("no acceptable authentication method")
}

// readSOCKSRequest reads the target of a CONNECT request. A name comes as it
// is (socks5h); one that is an odd spelling of an address is refused, as in
// HTTP.
func readSOCKSRequest(br *bufio.Reader) (policy.HostPort, error) {
	var head [4]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return policy.HostPort{}, err
	}
	host, err := readSOCKSHost(br, head[3])
	if err != nil {
		return policy.HostPort{}, err
	}
	var port [2]byte
	if _, err := io.ReadFull(br, port[:]); err != nil {
		return policy.HostPort{}, err
	}
	switch {
	case head[0] != socksVersion:
		return policy.HostPort{}, &socksError{socksFailure, "not SOCKS5"}
	case head[1] != socksConnect:
		return policy.HostPort{}, &socksError{socksNoCommand, "a SOCKS command other than CONNECT"}
	}
	authority := host + ":" + strconv.Itoa(int(port[0])<<8|int(port[1]))
	target, err := policy.ParseHostPort(authority)
	if err != nil {
		return target, badTarget(authority, err)
	}
	return target, nil
}

func readSOCKSHost(br *bufio.Reader, kind byte) (string, error) {
	size := 0
	switch kind {
	case socksIPv4:
		size = 4
	case socksIPv6:
		size = 16
	case socksName:
		n, err := br.ReadByte()
		if err != nil {
			return "", err
		}
		size = int(n)
	default:
		return "", &socksError{socksNoAddress, "a SOCKS address of unknown type"}
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(br, b); err != nil {
		return "", err
	}
	if kind == socksName {
		return string(b), nil
	}
	a, _ := netip.AddrFromSlice(b)
	return bracketed(a.Unmap()), nil
}

func bracketed(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return "[" + a.String() + "]"
}

// socksFail answers a request that failed.
func (c *session) socksFail(err error) {
	c.refused(err)
	if c.socksReply(socksReplyFor(err)) == nil {
		drain(c.conn)
	}
}

func (c *session) socksReply(code byte) error {
	_, err := c.conn.Write([]byte{socksVersion, code, 0, socksIPv4, 0, 0, 0, 0, 0, 0})
	return err
}

func socksReplyFor(err error) byte {
	if e, ok := errors.AsType[*socksError](err); ok {
		return e.reply
	}
	if e, ok := errors.AsType[*proxyRefusal](err); ok && e.status == http.StatusForbidden {
		return socksNotAllowed
	}
	_, denied := errors.AsType[*Denial](err)
	_, unresolved := errors.AsType[*resolveError](err)
	switch {
	case denied:
		return socksNotAllowed
	case isTimeout(err) || errors.Is(err, context.DeadlineExceeded):
		return socksTTL
	case unresolved || errors.Is(err, syscall.EHOSTUNREACH):
		return socksHost
	case errors.Is(err, syscall.ENETUNREACH):
		return socksNetwork
	case errors.Is(err, syscall.ECONNREFUSED):
		return socksRefused
	}
	return socksFailure
}
