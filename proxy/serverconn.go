package proxy

import (
	"bufio"
	"math"
	"net"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/relay"
	"srun/proxy/internal/upstream"
)

// serverConn is a connection on which requests go out.
type serverConn struct {
	conn   net.Conn
	target target
	proxy  *upstream.Proxy // the proxy that conn leads to, nil when it leads to target
	in     *http1.BudgetReader
	br     *bufio.Reader
	bw     *bufio.Writer
	used   bool // it has carried a request
}

func newServerConn(conn net.Conn, to target) *serverConn {
	in := &http1.BudgetReader{R: conn, Left: math.MaxInt64}
	return &serverConn{conn: conn, target: to, in: in, br: bufio.NewReader(in), bw: bufio.NewWriter(conn)}
}

// stale reports that an unused connection was closed, or that its server says
// something unasked.
func (sc *serverConn) stale() bool { return sc.br.Buffered() > 0 || relay.Readable(socket(sc.conn)) }
