//go:build linux

package testhost

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/vishvananda/netns"
)

// HostSocket and AbstractSocket are Unix sockets that a process of the host
// serves: each connection gets a line.
const (
	HostSocket     = "host.sock" // in Dir
	AbstractSocket = "@srun-test"
)

// startServers starts everything that listens: in the namespace ns what is
// behind the network, in the tests' own what a host has on its loopback.
//
//	22, 2222    sshd
//	53          DNS
//	80, 8080    HTTP
//	443, 8443   HTTPS, with git on both
//	5432, 9999  TCP that speaks first, then echoes
//	7           TCP that echoes
//	443, 9999   UDP echo
//	host 7080   HTTP on 127.0.0.1 and ::1
//	host 7081   HTTP on HostAddr
func startServers(m machine, ns netns.NsHandle) error {
	records, err := m.newRecorder()
	if err != nil {
		return err
	}
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	if err := ca.write(m); err != nil {
		return err
	}
	web, err := newWeb(m, records)
	if err != nil {
		return err
	}
	s := servers{records: records, web: web, tls: &tls.Config{
		GetCertificate: ca.leaf, NextProtos: []string{"h2", "http/1.1"},
	}}
	if err := within(ns, s.remote); err != nil {
		return err
	}
	if err := s.local(m); err != nil {
		return err
	}
	if err := (&daemons{m: m, ns: ns, ca: ca, using: map[string]*sync.Mutex{}}).serve(); err != nil {
		return err
	}
	return startSSHD(m, ns)
}

type servers struct {
	records *recorder
	web     *web
	tls     *tls.Config
}

func (s servers) remote() error {
	for _, port := range []int{80, 8080} {
		if err := s.listen("tcp", port, s.web.serve); err != nil {
			return err
		}
	}
	for _, port := range []int{443, 8443} {
		err := s.listen("tcp", port, func(l net.Listener) { s.web.serve(tls.NewListener(l, s.tls)) })
		if err != nil {
			return err
		}
	}
	for _, port := range []int{5432, 9999} {
		if err := s.listen("tcp", port, serveBanner); err != nil {
			return err
		}
	}
	if err := s.listen("tcp", 7, serveEcho); err != nil {
		return err
	}
	for _, port := range []int{443, 9999} {
		conn, err := net.ListenPacket("udp", ":"+strconv.Itoa(port))
		if err != nil {
			return err
		}
		go s.echo(conn, port)
	}
	// One socket an address: a reply from the wildcard socket would leave with
	// the first address, whichever was asked.
	conn, err := net.ListenPacket("udp", net.JoinHostPort(ServerAddr, "53"))
	if err != nil {
		return err
	}
	go (&nameServer{conn: conn, records: s.records, asked: map[string]bool{}}).serve()
	return nil
}

// local serves what only processes of the host itself should reach.
func (s servers) local(m machine) error {
	for _, addr := range []string{"127.0.0.1:7080", "[::1]:7080", HostAddr + ":7081"} {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		go s.web.serve(noting{listener, s.records})
	}
	path := filepath.Join(m.dir, HostSocket)
	for _, name := range []string{path, AbstractSocket} {
		listener, err := net.Listen("unix", name)
		if err != nil {
			return err
		}
		go s.serveUnix(listener, filepath.Base(name))
	}
	return os.Chmod(path, 0o777)
}

func (s servers) listen(network string, port int, serve func(net.Listener)) error {
	listener, err := net.Listen(network, ":"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	go serve(noting{listener, s.records})
	return nil
}

// noting records each connection that it accepts.
type noting struct {
	net.Listener
	records *recorder
}

func (l noting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.records.note("tcp %s", conn.LocalAddr())
	}
	return conn, err
}

// serveBanner greets with the port, then echoes: a protocol in which the server
// speaks first, as ssh's and SMTP's do.
func serveBanner(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
			fmt.Fprintf(conn, "banner %s\n", port)
			_, _ = io.Copy(conn, conn)
		}()
	}
}

// serveEcho leaves it to the client to begin.
func serveEcho(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

func (s servers) serveUnix(listener net.Listener, name string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.records.note("unix %s", name)
		fmt.Fprintln(conn, "banner unix")
		conn.Close()
	}
}

func (s servers) echo(conn net.PacketConn, port int) {
	packet := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		s.records.note("udp %d %q", port, packet[:n])
		_, _ = conn.WriteTo(packet[:n], from)
	}
}
