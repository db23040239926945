package proxy

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
)

// secureConn is a TLS connection that can be reset as a TCP connection can.
type secureConn struct {
	*tls.Conn
	raw    net.Conn
	abrupt atomic.Bool
}

// SetLinger makes reset a reset: a close_notify before it would pass for an
// orderly end.
func (c *secureConn) SetLinger(sec int) error {
	c.abrupt.Store(sec == 0)
	if tcp, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}

// Close ends the connection, with a close_notify unless it is reset.
func (c *secureConn) Close() error {
	if c.abrupt.Load() {
		return c.raw.Close()
	}
	return c.Conn.Close()
}

// socket returns what a TLS connection runs on.
func socket(conn net.Conn) net.Conn {
	if c, ok := conn.(*secureConn); ok {
		return c.raw
	}
	return conn
}

// watchedConn counts what passes and tells when it is closed.
type watchedConn struct {
	net.Conn
	read, written *atomic.Int64
	closed        chan struct{}
	once          sync.Once
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

func (c *watchedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

func (c *watchedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// SetLinger makes reset work on the connection inside.
func (c *watchedConn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}
