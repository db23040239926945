package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"srun/policy"
)

// takeAgents turns --ssh-agent and --gpg-agent into what they stand for: the agent's
// socket, its variable, and what its client reads. Private keys are not among that.
func (o *options) takeAgents() error {
	if o.sshAgent {
		socket := os.Getenv("SSH_AUTH_SOCK")
		if socket == "" {
			return errors.New("--ssh-agent: SSH_AUTH_SOCK is not set: there is no agent")
		}
		o.allowAgent(socket, "SSH_AUTH_SOCK", homeFiles(".ssh", "config", "config.d"))
	}
	if o.gpgAgent {
		dir := os.Getenv("GNUPGHOME")
		socket, err := gpgSocket(dir)
		if err != nil {
			return err
		}
		// The agent's own socket hands out keys. This one signs and decrypts, and is
		// what GnuPG has for clients that are not to have them (gpg-agent(1)).
		extra := socket + ".extra"
		if !isSocket(extra) {
			return fmt.Errorf("--gpg-agent: %s is not there: the agent's own socket would give private keys", extra)
		}
		o.stands = append(o.stands, policy.StandIn{Path: extra, At: socket, Flag: "--gpg-agent"})
		o.allowAgent("", "GPG_TTY", gpgFiles(dir))
	}
	return nil
}

func isSocket(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode()&os.ModeSocket != 0
}

func (o *options) allowAgent(socket, variable string, read []string) {
	if socket != "" {
		o.policy["allow-unix-socket"] = append(o.policy["allow-unix-socket"], socket)
	}
	o.policy["env"] = append(o.policy["env"], variable)
	o.policy["allow-read"] = append(o.policy["allow-read"], read...)
}

// gpgSocket finds the agent's socket as gpgconf(1) does: in the user's runtime
// directory, or in GnuPG's own.
func gpgSocket(dir string) (string, error) {
	var tried []string
	if dir == "" {
		tried = append(tried, fmt.Sprintf("/run/user/%d/gnupg/S.gpg-agent", os.Getuid()))
		if home, err := os.UserHomeDir(); err == nil {
			dir = filepath.Join(home, ".gnupg")
		}
	}
	if dir != "" {
		tried = append(tried, filepath.Join(dir, "S.gpg-agent"))
	}
	for _, path := range tried {
		if isSocket(path) {
			return path, nil
		}
	}
	return "", errors.New("--gpg-agent: no agent runs; gpgconf --launch gpg-agent starts it")
}

// gpgFiles are GnuPG's public keys, trust and options.
func gpgFiles(dir string) []string {
	names := []string{"pubring.kbx", "pubring.gpg", "public-keys.d", "trustdb.gpg", "gpg.conf", "common.conf"}
	if dir == "" {
		return homeFiles(".gnupg", names...)
	}
	return existing(dir, names)
}

// homeFiles are those of some files below the home that are there.
func homeFiles(dir string, names ...string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	return existing(filepath.Join(home, dir), names)
}

func existing(dir string, names []string) (paths []string) {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}
