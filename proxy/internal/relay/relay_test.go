package relay

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	a, b = conn.(*net.TCPConn), other.(*net.TCPConn)
	for _, c := range []net.Conn{a, b} {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { c.Close() })
	}
	return a, b
}

// opaque hides that a connection is TCP.
type opaque struct{ net.Conn }

// What goes in comes out, whole and in order, whichever way it is copied.
func TestCopy(t *testing.T) {
	data := make([]byte, 24<<20)
	rand.NewChaCha8([32]byte{1}).Read(data)
	want := sha256.Sum256(data)
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"between sockets": func(c net.Conn) net.Conn { return c },
		"through memory":  func(c net.Conn) net.Conn { return opaque{c} },
	} {
		in, src := pair(t)
		dst, out := pair(t)
		go func() {
			for b := data; len(b) > 0; {
				n := min(len(b), 1+rand.IntN(3*BigBuffer))
				in.Write(b[:n])
				b = b[n:]
			}
			in.CloseWrite()
		}()
		var count atomic.Int64
		done := make(chan error, 1)
		go func() {
			done <- Copy(wrap(dst), wrap(src), &count)
			dst.CloseWrite()
		}()
		h := sha256.New()
		if _, err := io.Copy(h, out); err != nil || !bytes.Equal(h.Sum(nil), want[:]) {
			t.Errorf("%s: other bytes came out, %v", name, err)
		}
		if err := <-done; err != nil || count.Load() != int64(len(data)) {
			t.Errorf("%s: %v after %d bytes", name, err, count.Load())
		}
	}
	if n := bigInUse.Load(); n != 0 {
		t.Errorf("%d buffers kept", n)
	}
	if n := PipesInUse(); n != 0 {
		t.Errorf("%d pipes kept", n)
	}
}

// A side that fails is told from one that ends, and keeps nothing.
func TestCopyFails(t *testing.T) {
	in, src := pair(t)
	dst, out := pair(t)
	var count atomic.Int64
	in.SetLinger(0)
	in.Close()
	if err := Copy(dst, src, &count); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a source that was reset: %v", err)
	}
	in, src = pair(t)
	out.SetLinger(0)
	out.Close()
	go func() {
		for b := make([]byte, 1<<20); ; {
			if _, err := in.Write(b); err != nil {
				return
			}
		}
	}()
	if err := Copy(dst, src, &count); err == nil {
		t.Error("a destination that was reset takes it all")
	}
	if bigInUse.Load() != 0 || PipesInUse() != 0 {
		t.Errorf("%d buffers and %d pipes kept", bigInUse.Load(), PipesInUse())
	}
}

func TestBuffers(t *testing.T) {
	var held []*[]byte
	for i := range maxBigBuffers + 3 {
		b := GetBuffer()
		held = append(held, b)
		if want := i < maxBigBuffers; (len(*b) == BigBuffer) != want || !want && len(*b) != SmallBuffer {
			t.Fatalf("buffer %d has %d bytes", i, len(*b))
		}
	}
	for _, b := range held {
		PutBuffer(b)
	}
	if n := bigInUse.Load(); n != 0 {
		t.Errorf("%d in use", n)
	}
}

func TestReady(t *testing.T) {
	a, b := pair(t)
	if Readable(b) || Unread(b) {
		t.Error("a silent connection has something")
	}
	b.SetReadDeadline(time.Now().Add(time.Millisecond))
	if err := WaitReadable(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent connection: %v", err)
	}
	b.SetReadDeadline(time.Time{})
	a.Write([]byte("xy"))
	if ended, err := WaitForMore(b); ended || err != nil || !Readable(b) || !Unread(b) {
		t.Errorf("ended %v, %v, readable %v, unread %v", ended, err, Readable(b), Unread(b))
	}
	if n, _ := b.Read(make([]byte, 3)); n != 2 {
		t.Errorf("%d bytes left by those who looked", n)
	}
	a.CloseWrite()
	if ended, err := WaitForMore(b); !ended || err != nil || !Readable(b) || Unread(b) {
		t.Errorf("ended %v, %v, readable %v, unread %v", ended, err, Readable(b), Unread(b))
	}
	if opaqueOne := (opaque{b}); Readable(opaqueOne) || WaitReadable(opaqueOne) != nil {
		t.Error("what cannot tell")
	}
}

func TestAcceptable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if Acceptable(l) {
		t.Error("before a connection")
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !Acceptable(l) {
		t.Error("one waits")
	}
}
