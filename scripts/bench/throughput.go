package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// throughput moves a large download through a tunnel: beside a connection
// without a proxy, beside the plainest relay there is, and beside the others.
func throughput(all []*contestant, target string) error {
	home, err := os.MkdirTemp("", "srun-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	addr := freeAddr()
	plain, err := start("io.Copy", addr, filepath.Join(home, "copy"), "", []string{self, relayArg, addr, target})
	if err != nil {
		return err
	}
	defer plain.stop()
	ways := []struct {
		name string
		open func() (*net.TCPConn, error)
	}{
		{"direct", func() (*net.TCPConn, error) { return (*contestant)(nil).connect(target) }},
		{"io.Copy", func() (*net.TCPConn, error) { return (*contestant)(nil).connect(addr) }},
	}
	for _, c := range all {
		ways = append(ways, struct {
			name string
			open func() (*net.TCPConn, error)
		}{c.name, func() (*net.TCPConn, error) { return c.connect(target) }})
	}
	rates := make([][]float64, len(ways))
	for range turns + 2 {
		for i, way := range ways {
			rate, err := download(way.open)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	const own = 2 // srun is the first contestant
	for i, way := range ways {
		if i == own {
			continue
		}
		goal, why := 1.0, ""
		if way.name == "direct" {
			goal, why = 1/0.9, "each byte crosses loopback twice instead of once, and two processors carry three busy threads"
		}
		a, b := middle(rates[own]), middle(rates[i])
		printRow("tunnel, "+way.name, gbit(a), gbit(b), b/a, goal, why)
	}
	return nil
}

func gbit(bytesPerSecond float64) string { return fmt.Sprintf("%.1f Gbit/s", bytesPerSecond*8/1e9) }

// relayArg makes this program the plainest relay: it joins what comes to addr to
// target with io.Copy, which on Linux splices.
const relayArg = "-serve-relay"

func serveRelay(addr, target string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		in, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", target)
			if err != nil {
				return
			}
			defer out.Close()
			go func() { _, _ = io.Copy(out, in) }()
			_, _ = io.Copy(in, out)
		}()
	}
}

// download asks the origin for its data and returns bytes a second.
func download(open func() (*net.TCPConn, error)) (float64, error) {
	conn, err := open()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	begun := time.Now()
	if _, err := conn.Write([]byte{doSource}); err != nil {
		return 0, err
	}
	buf := make([]byte, 256<<10)
	for total := 0; ; {
		n, err := conn.Read(buf)
		total += n
		if total == sourceSize {
			return float64(total) / time.Since(begun).Seconds(), nil
		}
		if err != nil {
			return 0, fmt.Errorf("after %d bytes: %w", total, err)
		}
	}
}
