//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netns"
)

func (m machine) sshDir(who string) string { return filepath.Join(m.dir, "ssh", who) }

// startSSHD starts a real sshd in the namespace ns, on ports 22 and 2222 of
// every address, where the ordinary user may log in with the tests' key.
func startSSHD(m machine, ns netns.NsHandle) error {
	dir := m.sshDir("server")
	if err := m.sshKeys(dir); err != nil {
		return err
	}
	// Its own requirement, for privilege separation.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return err
	}
	config := strings.ReplaceAll(`
Port 22
Port 2222
HostKey DIR/host
AuthorizedKeysFile DIR/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitUserEnvironment no
SetEnv `+quoted(gitEnv())+`
`, "DIR", dir)
	path := filepath.Join(dir, "config")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		return err
	}
	sshd, err := findSSHD()
	if err != nil {
		return err
	}
	cmd := exec.Command(sshd, "-D", "-f", path, "-E", filepath.Join(dir, "log"))
	if err := within(ns, cmd.Start); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("sshd: %w\n%s", err, log)
	case <-time.After(100 * time.Millisecond): // a bad config ends it at once
		return nil
	}
}

// findSSHD looks where a user's PATH does not. sshd insists on being started
// by its absolute path.
func findSSHD() (string, error) {
	for _, path := range []string{"/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("sshd is not installed: run scripts/setup test")
}

// quoted joins environment variables as sshd's SetEnv wants them.
func quoted(env []string) string {
	words := make([]string, len(env))
	for i, word := range env {
		words[i] = fmt.Sprintf("%q", word)
	}
	return strings.Join(words, " ")
}

// sshKeys makes the keys of the server, in dir, and a client directory for each
// who: ssh refuses a private key of its own user's that others may read.
func (m machine) sshKeys(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"host", "client"} {
		out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(dir, name)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ssh-keygen: %w\n%s", err, out)
		}
	}
	for _, who := range []string{asRootUser, asOrdinary} {
		if err := m.sshClient(dir, who); err != nil {
			return err
		}
	}
	return nil
}

// sshClient writes the config, known hosts and key of who's ssh.
func (m machine) sshClient(server, who string) error {
	dir := m.sshDir(who)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	host, err := os.ReadFile(filepath.Join(server, "host.pub"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(server, "client"))
	if err != nil {
		return err
	}
	config := fmt.Sprintf("Host *\n  User %s\n  IdentityFile %s/key\n  UserKnownHostsFile %s/known_hosts\n"+
		"  StrictHostKeyChecking yes\n  BatchMode yes\n  ConnectTimeout 10\n  CheckHostIP no\n", m.user.name, dir, dir)
	for name, text := range map[string]string{
		"config": config, "key": string(key), "known_hosts": "* " + string(host) + "[*]:2222 " + string(host),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		if who == asOrdinary {
			if err := os.Chown(path, int(m.user.id), int(m.user.id)); err != nil {
				return err
			}
		}
	}
	return nil
}
