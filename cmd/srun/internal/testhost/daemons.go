//go:build linux

package testhost

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/vishvananda/netns"
)

// daemons starts real servers when a script asks for one, behind the network
// or on the host's loopback: a test cannot enter the servers' namespace, and
// some of them want to be root or must not be. A connection to its Unix socket
// is one server, which ends with the connection.
type daemons struct {
	m  machine
	ns netns.NsHandle
	ca *authority

	mu    sync.Mutex
	using map[string]*sync.Mutex // each has its port to itself
}

// daemonPatience is how long one may take until it can be used.
const daemonPatience = 30 * time.Second

func (m machine) daemonSocket() string { return filepath.Join(m.dir, "daemons.sock") }

// serve takes requests until the machine ends.
func (d *daemons) serve() error {
	listener, err := net.Listen("unix", d.m.daemonSocket())
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go d.one(conn)
		}
	}()
	return os.Chmod(d.m.daemonSocket(), 0o777)
}

// one runs one server for as long as the connection is open. Its answer is
// "ready" or why not, and the end of the connection says that nothing is left.
func (d *daemons) one(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	name, where, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil {
		return
	}
	use := d.use(name + where)
	use.Lock()
	defer use.Unlock()
	stop, err := d.start(name, where == "host")
	if err != nil {
		fmt.Fprintln(conn, strings.ReplaceAll(err.Error(), "\n", " | "))
		return
	}
	defer stop()
	fmt.Fprintln(conn, "ready")
	_, _ = io.Copy(io.Discard, in)
}

func (d *daemons) use(key string) *sync.Mutex {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.using[key] == nil {
		d.using[key] = new(sync.Mutex)
	}
	return d.using[key]
}

// start returns once the server answers.
func (d *daemons) start(name string, onHost bool) (stop func(), err error) {
	s, ok := daemonKinds[name]
	if !ok {
		return nil, fmt.Errorf("no daemon %q", name)
	}
	at := place{m: d.m, ca: d.ca, addrs: []string{ServerAddr, DeniedAddr}}
	if onHost {
		at.addrs = []string{"127.0.0.1"}
	}
	if at.dir, err = os.MkdirTemp(d.m.dir, "daemon-"+name+"-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(at.dir)
		}
	}()
	if !s.root {
		if err := os.Chown(at.dir, int(d.m.user.id), int(d.m.user.id)); err != nil {
			return nil, err
		}
	} else if err := os.Chmod(at.dir, 0o755); err != nil {
		return nil, err
	}
	return d.run(s, at, onHost)
}

// run starts the program and waits until it can be used.
func (d *daemons) run(s daemonKind, at place, onHost bool) (stop func(), err error) {
	cmd, err := s.command(at)
	if err != nil {
		return nil, err
	}
	at.own(cmd, s.root)
	log, err := os.Create(filepath.Join(at.dir, "output"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	there := func(f func() error) error { return within(d.ns, f) }
	if onHost {
		there = func(f func() error) error { return f() }
	}
	if err := there(cmd.Start); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Signal(s.stop)
		select {
		case <-ended:
		case <-time.After(daemonPatience):
			_ = cmd.Process.Kill()
		}
		os.RemoveAll(at.dir)
	}
	answers := func() bool {
		return s.answers(at) && there(func() error { return dialOnce(at.addrs[0], s.port) }) == nil
	}
	if !poll(daemonPatience, func() bool { return answers() || isClosed(ended) }) || isClosed(ended) {
		text, _ := os.ReadFile(log.Name())
		stop()
		return nil, fmt.Errorf("%s does not answer:\n%s", filepath.Base(cmd.Path), text)
	}
	return stop, nil
}

func dialOnce(addr, port string) error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(addr, port), time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// own has the program run as the ordinary user, unless it has to be root, with
// nothing of the tests' environment.
func (p place) own(cmd *exec.Cmd, root bool) {
	cmd.Dir = p.dir
	cmd.Env = append(cmd.Env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME="+p.dir, "LC_ALL=C")
	who := asOrdinary
	if root {
		who = asRootUser
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.m.credential(who)}
}

// daemon runs one until the script ends.
func daemonCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 || len(args) == 2 && args[1] != "host" {
		ts.Fatalf("usage: daemon NAME [host]")
	}
	conn, err := net.Dial("unix", machine{dir: Dir()}.daemonSocket())
	ts.Check(err)
	ts.Defer(func() {
		_ = conn.(*net.UnixConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	})
	fmt.Fprintln(conn, strings.Join(args, " "))
	answer, _ := bufio.NewReader(conn).ReadString('\n')
	if answer != "ready\n" {
		ts.Fatalf("daemon %s: %s", args[0], answer)
	}
}
