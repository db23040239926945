package proxy

import (
	"bytes"
	"errors"
	"net"
)

// prereadReader reads what was read before, then the rest.
type prereadReader struct {
	preread []byte
	conn    net.Conn
}

func (r *prereadReader) Read(b []byte) (int, error) {
	if len(r.preread) == 0 {
		return r.conn.Read(b)
	}
	n := copy(b, r.preread)
	r.preread = r.preread[n:]
	return n, nil
}

// withPreread puts back what was read of the target's own bytes.
func withPreread(conn net.Conn, read []byte) net.Conn {
	if len(read) == 0 {
		return conn
	}
	return &prereadConn{Conn: conn, r: prereadReader{preread: read, conn: conn}}
}

// prereadConn is a connection of which something was read already.
type prereadConn struct {
	net.Conn
	r prereadReader
}

func (c *prereadConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// CloseWrite ends our half, as the connection inside does.
func (c *prereadConn) CloseWrite() error { return closeWrite(c.Conn) }

// SetLinger makes reset work on the connection inside.
func (c *prereadConn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}

// begunConn is a connection on which the first bytes of what is to be written went
// out already.
type begunConn struct {
	net.Conn
	begun []byte
}

var errBegun = errors.New("the beginning that was sent is another's")

func (c *begunConn) Write(b []byte) (int, error) {
	n := min(len(b), len(c.begun))
	if !bytes.Equal(b[:n], c.begun[:n]) {
		return 0, errBegun
	}
	c.begun = c.begun[n:]
	if n == len(b) {
		return n, nil
	}
	more, err := c.Conn.Write(b[n:])
	return n + more, err
}
