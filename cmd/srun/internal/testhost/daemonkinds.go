//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// place is where a daemon runs: a directory that is its own, and the addresses
// that it listens on.
type place struct {
	m     machine
	ca    *authority
	dir   string
	addrs []string
}

// daemonKind is how one kind of server is run. In all of them the user test
// has the password secret.
type daemonKind struct {
	port    string
	root    bool // it has to be; the others must not or need not
	stop    syscall.Signal
	command func(place) (*exec.Cmd, error)
	ready   string // a line of this file tells more than the open port does
	line    string
}

// daemonKinds are the servers that speak something else than HTTP. postgres is
// one port off its own, which the plain banner has.
var daemonKinds = map[string]daemonKind{
	"postgres": {port: "5433", stop: syscall.SIGINT, command: postgres, ready: "data/postmaster.pid", line: "ready"},
	"redis":    {port: "6379", stop: syscall.SIGTERM, command: redis},
	"mariadb":  {port: "3306", stop: syscall.SIGTERM, command: mariadb},
	"git":      {port: "9418", root: true, stop: syscall.SIGTERM, command: gitDaemon},
	"dovecot":  {port: "993", root: true, stop: syscall.SIGTERM, command: dovecot},
}

// answers tells whether the file says so, where there is one.
func (k daemonKind) answers(at place) bool {
	if k.ready == "" {
		return true
	}
	text, _ := os.ReadFile(filepath.Join(at.dir, k.ready))
	return strings.Contains(string(text), k.line)
}

// prepare runs a program that makes what a server needs.
func (p place) prepare(cmd *exec.Cmd) error {
	p.own(cmd, false)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

func (p place) write(name, text string) (path string, err error) {
	path = filepath.Join(p.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// postgres keeps each version's programs in a directory of its own on Debian.
func postgres(p place) (*exec.Cmd, error) {
	var bin string
	for _, glob := range []string{"/usr/lib/postgresql*/*/bin", "/usr/lib/postgresql*/bin", "/usr/libexec/postgresql*", "/usr/bin"} {
		found, _ := filepath.Glob(glob + "/postgres")
		if len(found) > 0 {
			bin = filepath.Dir(found[len(found)-1])
			break
		}
	}
	if bin == "" {
		return nil, fmt.Errorf("postgres is not installed: run scripts/setup test")
	}
	data := filepath.Join(p.dir, "data")
	password, err := p.write("password", "secret\n")
	if err != nil {
		return nil, err
	}
	if err := p.prepare(exec.Command(bin+"/initdb", "-D", data, "-A", "scram-sha-256", "-U", "test", "--pwfile="+password, "-N")); err != nil {
		return nil, err
	}
	access := "host all all all scram-sha-256\n"
	if err := os.WriteFile(data+"/pg_hba.conf", []byte(access), 0o644); err != nil {
		return nil, err
	}
	return exec.Command(bin+"/postgres", "-D", data, "-F", "-p", "5433", "-c", "unix_socket_directories=",
		"-c", "listen_addresses="+strings.Join(p.addrs, ",")), nil
}

func redis(p place) (*exec.Cmd, error) {
	args := append([]string{"--port", "6379", "--save", "", "--dir", p.dir, "--requirepass", "secret", "--bind"}, p.addrs...)
	return exec.Command("redis-server", args...), nil
}

func mariadb(p place) (*exec.Cmd, error) {
	data := filepath.Join(p.dir, "data")
	if err := p.prepare(exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+data, "--skip-test-db",
		"--auth-root-authentication-method=normal")); err != nil {
		return nil, err
	}
	users, err := p.write("users.sql", "CREATE USER test@'%' IDENTIFIED BY 'secret';\n")
	if err != nil {
		return nil, err
	}
	bind := "0.0.0.0"
	if len(p.addrs) == 1 {
		bind = p.addrs[0]
	}
	return exec.Command("mariadbd", "--no-defaults", "--datadir="+data, "--socket="+p.dir+"/sock", "--pid-file="+p.dir+"/pid",
		"--port=3306", "--bind-address="+bind, "--skip-name-resolve", "--init-file="+users), nil
}

// gitDaemon serves repo.git, for reading.
func gitDaemon(p place) (*exec.Cmd, error) {
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	args := []string{"--export-all", "--base-path=" + p.m.gitDir(), "--reuseaddr"}
	for _, addr := range p.addrs {
		args = append(args, "--listen="+addr)
	}
	cmd := exec.Command(filepath.Join(strings.TrimSpace(string(path)), "git-daemon"), args...)
	cmd.Env = gitEnv()
	return cmd, nil
}
