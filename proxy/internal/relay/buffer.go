package relay

import (
	"sync"
	"sync/atomic"
)

// The sizes of copy buffers, in bytes: big ones up to a budget, small ones
// beyond it, so that thousands of stalled tunnels stay small.
const (
	BigBuffer   = 64 << 10
	SmallBuffer = 4 << 10

	// maxBigBuffers bounds the copy buffers of full size in use at once.
	// Beyond it tunnels copy through small ones.
	maxBigBuffers = 128
)

var (
	bigBuffers   = sync.Pool{New: func() any { b := make([]byte, BigBuffer); return &b }}
	smallBuffers = sync.Pool{New: func() any { b := make([]byte, SmallBuffer); return &b }}
	bigInUse     atomic.Int32
)

// GetBuffer returns a buffer to copy through: of BigBuffer bytes while less than
// the budget are out, else of SmallBuffer bytes. It is for PutBuffer to take
// back.
func GetBuffer() *[]byte {
	if bigInUse.Add(1) <= maxBigBuffers {
		return bigBuffers.Get().(*[]byte)
	}
	bigInUse.Add(-1)
	return smallBuffers.Get().(*[]byte)
}

// PutBuffer takes back what GetBuffer returned.
func PutBuffer(b *[]byte) {
	if len(*b) == BigBuffer {
		bigInUse.Add(-1)
		bigBuffers.Put(b)
		return
	}
	smallBuffers.Put(b)
}
