package proxy

import (
	"net"
	"time"
)

// reset closes a connection so that its peer sees a reset, not an orderly end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// closeWrite ends our half of a connection.
func closeWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return conn.Close()
}

// drain lets the peer read what was written before the connection closes:
// closing with unread input would send a reset that overtakes it.
func drain(conn net.Conn) {
	if closeWrite(conn) != nil {
		return
	}
	conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	buf := make([]byte, 4096)
	for total := 0; total < maxDiscard; {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}
