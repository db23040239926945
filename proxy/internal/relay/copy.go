package relay

import (
	"io"
	"net"
	"sync/atomic"
)

// Copy copies src to dst until src ends, adding the bytes written to count as
// it goes. It returns nil at the orderly end of src, else the error of the side
// that failed; both connections stay open. It holds no buffer while it waits
// where the connections allow that.
func Copy(dst, src net.Conn, count *atomic.Int64) error {
	if s := newStream(dst, src, count); s != nil {
		return s.run()
	}
	b := GetBuffer()
	defer PutBuffer(b)
	for {
		n, err := src.Read(*b)
		if n > 0 {
			if _, werr := dst.Write((*b)[:n]); werr != nil {
				return werr
			}
			count.Add(int64(n))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
