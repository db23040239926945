package proxy

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// The copy buffers: big ones up to a budget, small ones beyond it, so that
// thousands of stalled tunnels stay small.
const (
	bigBuffer   = 64 << 10
	smallBuffer = 4 << 10
)

var (
	bigBuffers   = sync.Pool{New: func() any { b := make([]byte, bigBuffer); return &b }}
	smallBuffers = sync.Pool{New: func() any { b := make([]byte, smallBuffer); return &b }}
	bigInUse     atomic.Int32
)

func getBuffer() *[]byte {
	if bigInUse.Add(1) <= maxBigBuffers {
		return bigBuffers.Get().(*[]byte)
	}
	bigInUse.Add(-1)
	return smallBuffers.Get().(*[]byte)
}

func putBuffer(b *[]byte) {
	if len(*b) == bigBuffer {
		bigInUse.Add(-1)
		bigBuffers.Put(b)
		return
	}
	smallBuffers.Put(b)
}

// relay copies src to dst until src ends, counting as it goes. It holds no
// buffer while it waits where the connections allow that.
func relay(dst, src net.Conn, count *atomic.Int64) error {
	if s := newStream(dst, src, count); s != nil {
		return s.run()
	}
	b := getBuffer()
	defer putBuffer(b)
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
