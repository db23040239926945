package proxy

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"

	"srun/proxy/internal/relay"
)

// serverConn is a connection on which requests go out.
type serverConn struct {
	conn   net.Conn
	target target
	proxy  *upstreamProxy // the proxy that conn leads to, nil when it leads to target
	in     *budgetReader
	br     *bufio.Reader
	bw     *bufio.Writer
	used   bool // it has carried a request
}

func newServerConn(conn net.Conn, to target) *serverConn {
	in := &budgetReader{r: conn, left: math.MaxInt64}
	return &serverConn{conn: conn, target: to, in: in, br: bufio.NewReader(in), bw: bufio.NewWriter(conn)}
}

// stale reports that an unused connection was closed, or that its server says
// something unasked.
func (sc *serverConn) stale() bool { return sc.br.Buffered() > 0 || relay.Readable(socket(sc.conn)) }

// budgetReader bounds what is read while a head is read.
type budgetReader struct {
	r    io.Reader
	left int64
}

var errLongHead = errors.New("the server's response head is too long")

func (b *budgetReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongHead
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
