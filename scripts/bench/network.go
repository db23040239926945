package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// network measures srun's proxy beside squid and tinyproxy, all on loopback
// and before the same server. In these rows too a ratio below 1 is for srun:
// for what is better when it is more, it is the other's over srun's.
func network(dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	go serveOrigin(listener)
	target := listener.Addr().String()
	all, err := contestants(dir, target)
	defer func() {
		for _, c := range all {
			c.stop()
		}
	}()
	if err != nil {
		return err
	}
	for _, measure := range []func([]*contestant, string) error{setUps, requests, throughput, idleTunnels, domainRules} {
		if err := measure(all, target); err != nil {
			return err
		}
	}
	return nil
}

// checks is why a row may be behind a proxy that does less.
const checks = "srun alone judges addresses and a tunnel's first bytes; eight clients and the server share the processors with it"

const (
	clients = 8               // at once
	slice   = 1 * time.Second // of one contestant's turn
	turns   = 3
)

// load is what came of one contestant's turns.
type load struct {
	rates []float64
	times []time.Duration
}

// under lets each contestant in turn serve clients that repeat act, which
// returns how long one took. open makes a client's act.
func under(all []*contestant, open func(*contestant) func() (time.Duration, error)) ([]load, error) {
	loads := make([]load, len(all))
	for range turns {
		for i, c := range all {
			begun := time.Now()
			times, err := spell(func() func() (time.Duration, error) { return open(c) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			loads[i].rates = append(loads[i].rates, float64(len(times))/time.Since(begun).Seconds())
			loads[i].times = append(loads[i].times, times...)
		}
	}
	return loads, nil
}

func spell(open func() func() (time.Duration, error)) (times []time.Duration, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			act := open()
			var own []time.Duration
			var failed error
			for begun := time.Now(); time.Since(begun) < slice && failed == nil; {
				var took time.Duration
				if took, failed = act(); failed == nil {
					own = append(own, took)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
			if failed != nil {
				err = failed
			}
		})
	}
	wg.Wait()
	return times, err
}

// setUps times CONNECT with a byte each way.
func setUps(all []*contestant, target string) error {
	loads, err := under(all, func(c *contestant) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			begun := time.Now()
			conn, err := c.connect(target)
			if err != nil {
				return 0, err
			}
			defer conn.Close()
			_ = conn.SetLinger(0) // no port of the client's stays taken
			err = echo(conn)
			return time.Since(begun), err
		}
	})
	if err != nil {
		return err
	}
	printRates("CONNECT a second", all, loads)
	for _, p := range []int{50, 99} {
		for i, c := range all[1:] {
			a, b := percentile(loads[0].times, p), percentile(loads[i+1].times, p)
			printRow(fmt.Sprintf("CONNECT p%d, %s", p, c.name), ms(a), ms(b), float64(a)/float64(b), 1,
				checks)
		}
	}
	return nil
}

func echo(conn net.Conn) error {
	if _, err := conn.Write([]byte{doEcho}); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

// requests times plain HTTP in absolute form, on a kept connection where the
// proxy keeps it.
func requests(all []*contestant, target string) error {
	request := fmt.Sprintf("GET http://%s/ HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\n\r\n", target, target)
	loads, err := under(all, func(c *contestant) func() (time.Duration, error) {
		var conn net.Conn
		var br *bufio.Reader
		return func() (time.Duration, error) {
			begun := time.Now()
			if conn == nil {
				var err error
				if conn, err = net.Dial("tcp", c.addr); err != nil {
					return 0, err
				}
				br = bufio.NewReader(conn)
			}
			keep, err := ask(conn, br, request)
			if !keep || c.name == "tinyproxy" { // which takes one request a connection and does not say so
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
				conn = nil
			}
			return time.Since(begun), err
		}
	})
	if err == nil {
		printRates("plain requests a second", all, loads)
	}
	return err
}

// ask sends a request and reads its response, and reports whether the
// connection is to be kept.
func ask(conn net.Conn, br *bufio.Reader, request string) (keep bool, err error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return false, err
	}
	keep, sized := true, false
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return false, err
		}
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(line)), ": ")
		sized = sized || name == "content-length"
		if (name == "connection" || name == "proxy-connection") && value == "close" || strings.HasPrefix(line, "HTTP/1.0") {
			keep = false
		}
		if line == "\r\n" {
			break
		}
	}
	if !sized {
		_, err := io.Copy(io.Discard, br)
		return false, err
	}
	_, err = io.ReadFull(br, make([]byte, len("ok")))
	return keep, err
}

func printRates(what string, all []*contestant, loads []load) {
	own := middle(loads[0].rates)
	for i, c := range all[1:] {
		other := middle(loads[i+1].rates)
		printRow(what+", "+c.name, fmt.Sprintf("%.0f", own), fmt.Sprintf("%.0f", other), other/own, 1, checks)
	}
}

// printRow prints in the columns of the other rows, and with a ratio beyond the
// goal also why that is so.
func printRow(name, own, other string, ratio, goal float64, why string) {
	fmt.Printf("%-30s %10s %10s %7.3f %6.2f\n", name, own, other, ratio, goal)
	if ratio > goal && why != "" {
		fmt.Printf("%30s %s\n", "", why)
	}
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func percentile(times []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

// idleTunnels opens many tunnels, through which a byte goes each way, and looks
// what each costs the proxy.
func idleTunnels(all []*contestant, target string) error {
	const count = 2000
	var each []float64
	for _, c := range all {
		before, others := resident(c), pipes(c)
		var held []net.Conn
		var err error
		for range count {
			var conn net.Conn
			if conn, err = c.connect(target); err != nil {
				break
			}
			held = append(held, conn)
			if err = echo(conn); err != nil {
				break
			}
		}
		time.Sleep(1500 * time.Millisecond) // what is dropped when idle has gone
		each = append(each, float64(resident(c)-before)/count)
		if c.name == "srun" {
			n := max(pipes(c)-others, 0)
			printRow("pipes of 2000 idle tunnels", fmt.Sprint(n), "0", float64(n), 0, "")
		}
		for _, conn := range held {
			conn.Close()
		}
		if err != nil {
			return err
		}
	}
	const limit = 32
	printRow("memory of an idle tunnel", kib(each[0]), kib(limit), each[0]/limit, 1, "")
	for i, c := range all[1:] {
		printRow("memory of an idle tunnel, "+c.name, kib(each[0]), kib(each[i+1]), each[0]/each[i+1], 1,
			"a tunnel of srun's is two goroutines, whose stacks grew as its first bytes were checked")
	}
	return nil
}

func kib(n float64) string { return fmt.Sprintf("%.1f KiB", n) }

// resident is what a contestant's processes hold, in KiB.
func resident(c *contestant) int {
	total := 0
	for _, pid := range tree(c.cmd.Process.Pid) {
		total += statusKiB(pid, "VmRSS")
	}
	return total
}

// pipes counts the pipe ends that a contestant holds open.
func pipes(c *contestant) int {
	n := 0
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.cmd.Process.Pid))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}
