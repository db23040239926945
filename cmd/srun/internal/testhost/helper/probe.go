//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// timeout is longer than anything here takes when it works.
const timeout = 5 * time.Second

// A probe act prints what it got and fails as the program it stands for would.
var acts = map[string]struct {
	usage string
	nargs int
	run   func(args []string) error
}{
	"tcp":      {"HOST:PORT: dial and print the first line that the server says", 1, tcp},
	"udp":      {"HOST:PORT TEXT: send a datagram and print the answer", 2, udp},
	"icmp":     {"ADDR: ping once, without privileges", 1, icmp},
	"get":      {"URL: fetch without any proxy", 1, get},
	"unix":     {"PATH or @NAME: connect and print the first line", 1, unixSocket},
	"loopback": {"ADDR: listen there, dial it, print what comes through", 1, loopback},
	"socket":   {"DOMAIN TYPE PROTOCOL, as numbers: make a socket", 3, socket},
	"args":     {"ARGS...: print each argument quoted", -1, printArgs},
	"resolve":  {"NAME: print its addresses", 1, resolve},
}

func probe(args []string) error {
	if len(args) == 0 {
		return usage()
	}
	act, ok := acts[args[0]]
	if !ok || act.nargs >= 0 && act.nargs != len(args)-1 {
		return usage()
	}
	return act.run(args[1:])
}

func usage() error {
	var lines strings.Builder
	for name, act := range acts {
		fmt.Fprintf(&lines, "\n  %s %s", name, act.usage)
	}
	return fmt.Errorf("usage:%s", lines.String())
}

func tcp(args []string) error {
	conn, err := net.DialTimeout("tcp", args[0], timeout)
	if err != nil {
		return err
	}
	return firstLine(conn)
}

func unixSocket(args []string) error {
	conn, err := net.DialTimeout("unix", args[0], timeout)
	if err != nil {
		return err
	}
	return firstLine(conn)
}

func firstLine(conn net.Conn) error {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	fmt.Print(line)
	return nil
}

func udp(args []string) error {
	conn, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	if _, err := io.WriteString(conn, args[1]); err != nil {
		return err
	}
	return answer(conn)
}

// answer prints one packet, for which it does not wait long: the servers are
// on this machine.
func answer(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	packet := make([]byte, 1500)
	n, err := conn.Read(packet)
	if err != nil {
		return err
	}
	fmt.Printf("%q\n", packet[:n])
	return nil
}

// icmp pings over a datagram socket, which needs no capability.
func icmp(args []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), "ping")
	defer file.Close()
	addr := unix.SockaddrInet4{Addr: [4]byte(net.ParseIP(args[0]).To4())}
	echo := []byte{8, 0, 0, 0, 0, 0, 0, 1} // type, code, checksum, id, sequence
	if err := unix.Sendto(fd, echo, 0, &addr); err != nil {
		return fmt.Errorf("sendto: %w", err)
	}
	ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 1000)
	if err == nil && ready == 0 {
		err = unix.ETIMEDOUT
	}
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	fmt.Println("pong")
	return nil
}

func get(args []string) error {
	client := http.Client{Transport: &http.Transport{}, Timeout: timeout}
	resp, err := client.Get(args[0])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

// loopback proves that a program can serve itself.
func loopback(args []string) error {
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			fmt.Fprintln(conn, "banner loopback")
			conn.Close()
		}
	}()
	return tcp([]string{listener.Addr().String()})
}

func socket(args []string) error {
	var n [3]int
	for i, arg := range args {
		var err error
		if n[i], err = strconv.Atoi(arg); err != nil {
			return err
		}
	}
	fd, err := unix.Socket(n[0], n[1], n[2])
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	fmt.Println("made")
	return unix.Close(fd)
}

func printArgs(args []string) error {
	for _, arg := range args {
		fmt.Printf("%q\n", arg)
	}
	return nil
}

func resolve(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, args[0])
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		fmt.Println(addr)
	}
	return nil
}
