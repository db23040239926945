//go:build unix

package relay

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// stream is one direction between two TCP connections. It takes a buffer only
// when the source has something to read, and turns to the kernel's own copy
// (splice) while the source fills buffers to the brim.
type stream struct {
	dst   *net.TCPConn
	raw   syscall.RawConn // of src
	sink  syscall.RawConn // of dst
	count *atomic.Int64

	buf  *[]byte // held from read to write, nil while waiting
	pipe *pipe   // held from splice in to splice out, nil while waiting
	n    int     // bytes in buf or pipe
	err  error
	full int // reads in a row that filled the buffer
}

// A direction splices after this many full buffers in a row, and goes back to
// buffers when a splice moves less than spliceLow.
const (
	spliceAfter = 2
	spliceLow   = 4 << 10
)

func newStream(dst, src net.Conn, count *atomic.Int64) *stream {
	d, ok1 := dst.(*net.TCPConn)
	f, ok2 := src.(*net.TCPConn)
	if !ok1 || !ok2 {
		return nil
	}
	raw, err1 := f.SyscallConn()
	sink, err2 := d.SyscallConn()
	if err1 != nil || err2 != nil {
		return nil
	}
	return &stream{dst: d, raw: raw, sink: sink, count: count}
}

func (s *stream) run() error {
	take := s.take // one closure for the life of the stream
	for {
		if err := s.raw.Read(take); err != nil {
			return err
		}
		if s.err != nil {
			return os.NewSyscallError("read", s.err)
		}
		if s.n == 0 {
			return nil
		}
		if err := s.give(); err != nil {
			return err
		}
	}
}

// take reads what is there, once. False means that nothing is: wait, with
// empty hands.
func (s *stream) take(fd uintptr) bool {
	s.n, s.err = 0, nil
	if s.full >= spliceAfter {
		if s.pipe = getPipe(); s.pipe != nil {
			return s.takePipe(int(fd))
		}
	}
	s.buf = GetBuffer()
	s.n, s.err = ignoringEINTR(func() (int, error) { return unix.Read(int(fd), *s.buf) })
	if s.err == nil && s.n > 0 {
		s.full++
		if s.n < len(*s.buf) || len(*s.buf) < BigBuffer {
			s.full = 0
		}
		return true
	}
	PutBuffer(s.buf)
	s.buf, s.n = nil, 0
	return !errors.Is(s.err, unix.EAGAIN)
}

func (s *stream) takePipe(fd int) bool {
	s.n, s.err = s.pipe.fill(fd)
	if s.err == nil && s.n > 0 {
		if s.n < spliceLow {
			s.full = 0
		}
		return true
	}
	putPipe(s.pipe)
	s.pipe, s.n = nil, 0
	if errors.Is(s.err, unix.EINVAL) { // not a socket that can be spliced
		s.err, s.full = nil, -1<<30
		return s.take(uintptr(fd))
	}
	return !errors.Is(s.err, unix.EAGAIN)
}

// give writes what take read.
func (s *stream) give() error {
	if s.pipe != nil {
		return s.givePipe()
	}
	_, err := s.dst.Write((*s.buf)[:s.n])
	PutBuffer(s.buf)
	s.buf = nil
	s.count.Add(int64(s.n))
	return err
}

func (s *stream) givePipe() error {
	p := s.pipe
	s.pipe = nil
	left := s.n
	var failed error
	err := s.sink.Write(func(fd uintptr) bool {
		for left > 0 && failed == nil {
			var n int
			n, failed = p.empty(int(fd), left)
			left -= n
		}
		if errors.Is(failed, unix.EAGAIN) {
			failed = nil
			return false
		}
		return true
	})
	s.count.Add(int64(s.n - left))
	if left > 0 {
		p.close()
	} else {
		putPipe(p)
	}
	if err == nil && failed != nil {
		err = os.NewSyscallError("splice", failed)
	}
	return err
}
