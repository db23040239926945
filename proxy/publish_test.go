package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"srun/policy"
)

// A published connection is in the log with all that any other is, and who came.
func TestPublishedAudit(t *testing.T) {
	var log logBuffer
	w := newWorld(t, "", "", func(c *Config) { c.Audit = &log })
	inside := listen(t)
	go func() {
		for {
			conn, err := inside.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	outside := listen(t)
	var listens atomic.Bool
	go w.s.ServePublished(outside, Published{Port: 8000, Rule: "--publish 127.0.0.1:7000:8000",
		Source: policy.Source{Tier: policy.TierFlag, Flag: "--publish"},
		Dial: func(port uint16) (net.Conn, error) {
			if !listens.Load() {
				return nil, fmt.Errorf("port %d: nobody listens", port)
			}
			return net.Dial("tcp", inside.Addr().String())
		}})
	conn, err := net.Dial("tcp", outside.Addr().String())
	if err == nil { // else it was reset before connect returned
		err = wantReset(conn)
	}
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	log.lines(t, 1)
	listens.Store(true)
	conn, _ = net.Dial("tcp", outside.Addr().String())
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "hello")
	closeWrite(conn)
	if err := wantAll(conn, "hello"); err != nil {
		t.Error(err)
	}
	lines := log.lines(t, 3)
	for i, want := range []string{
		"1 decision publish localhost 8000 allowed --publish 127.0.0.1:7000:8000 --publish port 8000: nobody listens 0 0 0",
		"2 decision publish localhost 8000 allowed --publish 127.0.0.1:7000:8000 --publish 0 0 0",
		"2 close 0 5 5 0",
	} {
		if got := lineText(lines[i]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if l := lines[1]; l.From != conn.LocalAddr().String() || l.Address != inside.Addr().String() || lines[2].Duration <= 0 {
		t.Errorf("%+v", l)
	}
}

// One port has so many connections at once, and half of all are for the
// command's own.
func TestPublishedLimit(t *testing.T) {
	w := newWorld(t, "example.com", "")
	w.serve("example.com", "198.51.100.1", 7, echo)
	w.s.registry.SetLimit(8)
	ours, theirs := net.Pipe()
	defer ours.Close()
	outside := listen(t)
	go w.s.ServePublished(outside, Published{Port: 8000, Dial: func(uint16) (net.Conn, error) { return theirs, nil }})
	var open, ended int
	for range 12 {
		conn, err := net.Dial("tcp", outside.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			ended++ // before connect returned
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); isTimeout(err) {
			open++
		} else {
			ended++
		}
	}
	if open != 4 || ended != 8 {
		t.Errorf("%d open, %d ended", open, ended)
	}
	conn := w.tunnel("example.com:7")
	io.WriteString(conn, "\x00ok")
	if got := readN(conn, 3); strings.TrimPrefix(string(got), "\x00") != "ok" {
		t.Errorf("%q", got)
	}
}
