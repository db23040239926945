package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"srun/policy"
	"srun/proxy"
)

// A contestant is a running proxy that speaks HTTP on a port of 127.0.0.1.
type contestant struct {
	name string
	addr string
	cmd  *exec.Cmd
}

// stop ends the process group, which holds what the proxy started.
func (c *contestant) stop() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGTERM)
	_ = c.cmd.Wait()
}

// proxyArg makes this program the proxy of srun on its own: the package as the
// launcher embeds it, without a sandbox around its clients.
const proxyArg = "-serve-srun-proxy"

// serveProxy is that program. It allows the one target and serves addr.
func serveProxy(addr, target string) error {
	pattern, err := policy.ParsePattern(target)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	rules := policy.NewDomains([]policy.DomainRule{{Pattern: pattern}}, nil)
	return proxy.New(proxy.Config{Domains: rules}).ServeProxy(listener)
}

const squidConf = `http_port %s
visible_hostname bench
pid_filename none
cache deny all
cache_mem 0
cache_log %[2]s/log
access_log none
logfile_rotate 0
coredump_dir none
netdb_filename none
pinger_enable off
memory_cache_shared off
max_filedescriptors 16384
shutdown_lifetime 0 seconds
http_access allow all
`

const tinyproxyConf = `Listen %s
Port %s
Timeout 600
MaxClients 5000
LogFile "%s/log"
LogLevel Critical
Allow 127.0.0.1
`

// contestants starts srun's proxy and the others that are installed. The caller
// stops them.
func contestants(dir, target string) ([]*contestant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var started []*contestant
	for _, name := range []string{"srun", "squid", "tinyproxy"} {
		addr := freeAddr()
		_, port, _ := net.SplitHostPort(addr)
		home := filepath.Join(dir, name)
		conf := filepath.Join(home, "conf")
		var args []string
		text := ""
		switch name {
		case "srun":
			args = []string{self, proxyArg, addr, target}
		case "squid":
			args, text = []string{"squid", "-N", "-n", "bench" + port, "-f", conf}, fmt.Sprintf(squidConf, addr, home)
		case "tinyproxy":
			args, text = []string{"tinyproxy", "-d", "-c", conf}, fmt.Sprintf(tinyproxyConf, "127.0.0.1", port, home)
		}
		if _, err := exec.LookPath(args[0]); err != nil {
			fmt.Printf("%-30s is not installed here: its rows are left out\n", name)
			continue
		}
		c, err := start(name, addr, home, text, args)
		if err != nil {
			return started, err
		}
		started = append(started, c)
	}
	return started, nil
}

// start runs one contestant in a directory of its own that any user may write
// to: as root, squid becomes another.
func start(name, addr, home, conf string, args []string) (*contestant, error) {
	if err := os.Mkdir(home, 0o777); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Chmod(home, 0o777), os.WriteFile(filepath.Join(home, "conf"), []byte(conf), 0o644)); err != nil {
		return nil, err
	}
	// Go's own limit on descriptors is not handed on to children.
	args = append([]string{"sh", "-c", `ulimit -n "$(ulimit -Hn)"; exec "$@"`, "sh"}, args...)
	c := &contestant{name, addr, exec.Command(args[0], args[1:]...)}
	c.cmd.Dir = home
	c.cmd.SysProcAttr = ownGroup()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for range 500 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return c, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.stop()
	log, _ := os.ReadFile(filepath.Join(home, "log"))
	return nil, fmt.Errorf("%s did not start: %s", name, log)
}

// freeAddr is an address of 127.0.0.1 where nothing listens.
func freeAddr() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer listener.Close()
	return listener.Addr().String()
}

// connect opens a tunnel through the proxy; through none, a connection.
func (c *contestant) connect(target string) (*net.TCPConn, error) {
	if c == nil {
		conn, err := net.Dial("tcp", target)
		if err != nil {
			return nil, err
		}
		return conn.(*net.TCPConn), nil
	}
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	status := ""
	if err == nil {
		status, err = readHead(bufio.NewReader(conn))
	}
	if err == nil && !strings.Contains(status, " 200 ") {
		err = fmt.Errorf("CONNECT: %s", status)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return conn.(*net.TCPConn), nil
}

// readHead reads up to an empty line and returns the first.
func readHead(br *bufio.Reader) (first string, err error) {
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return first, err
		}
		if first == "" {
			first = strings.TrimSpace(line)
		}
		if line == "\r\n" {
			return first, nil
		}
	}
}

// An origin is the server behind the proxies. What it does with a connection
// is said by the first byte.
const (
	doEcho   = 0   // one byte back, then wait
	doSource = 1   // sourceSize bytes, then close
	doHTTP   = 'G' // a GET: answer requests
)

const sourceSize = 512 << 20

func serveOrigin(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go serveOne(conn)
	}
}

var sourceData = make([]byte, 256<<10)

func serveOne(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReaderSize(conn, 512)
	what, err := br.ReadByte()
	if err != nil {
		return
	}
	switch what {
	case doEcho:
		_, _ = conn.Write([]byte{doEcho})
		_, _ = br.ReadByte()
	case doSource:
		for sent := 0; sent < sourceSize; sent += len(sourceData) {
			if _, err := conn.Write(sourceData); err != nil {
				return
			}
		}
	case doHTTP:
		for {
			if _, err := readHead(br); err != nil {
				return
			}
			if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
				return
			}
		}
	}
}
