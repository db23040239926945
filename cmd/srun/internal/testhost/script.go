//go:build linux

package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Who is root or user: as whom these tests run.
func Who() string { return os.Getenv(whoVar) }

// Dir holds everything of this run: bin, ca.pem, records, host.sock.
func Dir() string { return os.Getenv(dirVar) }

// Params returns what runs the scripts of a directory on the test hosts.
//
// A script starts in the empty directory $WORK/proj, with HOME in $WORK/home.
// Beside testscript's own commands it has:
//
//	status N command args...   run, and the exit status is N
//	gone TEXT                  no process has TEXT on its command line (3 s)
//	alive TEXT                 some process has (10 s)
//	appears FILE               the file exists (10 s)
//	[!] seen REGEXP            the servers' records have such a line
//	manifest DIR FILE          write every name, type, mode and content of DIR
//	                           to FILE, to cmp with another
//	squid PORT RULES [FILE...] run a squid on 127.0.0.1 (see squid.go)
//	tlsproxy PORT CAFILE       run a proxy there that reads TLS (see tlsproxy.go)
//	daemon NAME [host]         run a real server behind the network, or on the
//	                           host's 127.0.0.1 (see daemonkinds.go)
//	exec probe ...             what a program without proxy support does; see helper
//	exec pty STEPS command...  run on a terminal of its own; see helper
//	exec filecalls ...         make file calls and print the results, to cmp
//	                           with a run outside; see filecalls/main.c
//
// and the conditions [root], [user] and [i386], a kernel that knows the calls
// of 32-bit programs. In its environment are WHO, REPO (the source), RECORDS,
// CA (the bundle that the common tools are pointed at), SSH_CONFIG (for ssh -F;
// git has it already), GIT_DIR_ON_SERVER (where repo.git lies for ssh),
// HOST_SOCKET and SMALL, a directory on a file system of 64 KiB.
func Params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		Setup:              setup,
		Condition:          condition,
		RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   status,
			"gone":     gone,
			"alive":    alive,
			"appears":  appears,
			"seen":     seen,
			"manifest": manifest,
			"squid":    squid,
			"daemon":   daemonCmd,
			"tlsproxy": tlsProxy,
		},
	}
}

// Scripts runs the scripts of a directory.
func Scripts(t *testing.T, dir string) {
	t.Helper()
	if Dir() == "" {
		t.Fatal("not on the test hosts: TestMain must call testhost.Main")
	}
	testscript.Run(t, Params(dir))
}

// setup makes a script's directories and environment. Nothing of the person
// who runs the tests comes through.
func setup(env *testscript.Env) error {
	m := machine{dir: Dir()}
	proj, home := filepath.Join(env.WorkDir, "proj"), filepath.Join(env.WorkDir, "home")
	for _, dir := range []string{proj, home} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	env.Cd = proj
	for name, value := range m.scriptEnv(Who(), home) {
		env.Setenv(name, value)
	}
	tmp := env.Getenv("TMPDIR")
	env.Defer(func() { mustBeEmpty(env.T(), tmp) })
	return nil
}

// mustBeEmpty fails a script that left something in its TMPDIR.
func mustBeEmpty(t testscript.T, dir string) {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) > 0 {
		t.Fatal("left behind in TMPDIR: " + strings.Join(names, " "))
	}
}

func condition(name string) (bool, error) {
	switch name {
	case asRootUser, asOrdinary:
		return name == Who(), nil
	case "i386":
		return exec.Command(filepath.Join(Dir(), "bin", "filecalls"), "-i386", "works").Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// scriptEnv steers the real programs that scripts run to the servers' names,
// keys and authority.
func (m machine) scriptEnv(who, home string) map[string]string {
	ca, ssh := m.caPath(), filepath.Join(m.sshDir(who), "config")
	return map[string]string{
		"WHO": who, "HOME": home, "REPO": filepath.Join(m.dir, "repo"), "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TERM": "xterm",
		"RECORDS": m.recordsPath(), "HOST_SOCKET": filepath.Join(m.dir, HostSocket), "SMALL": m.small(who),
		"GIT_DIR_ON_SERVER": m.gitDir(), "SSH_CONFIG": ssh, "GIT_SSH_COMMAND": "ssh -F " + ssh,
		"CA": ca, "GIT_SSL_CAINFO": ca, "CURL_CA_BUNDLE": ca, "SSL_CERT_FILE": ca, "NODE_EXTRA_CA_CERTS": ca,
		"WGETRC":              m.wgetrcPath(), // Debian's wget is built with GnuTLS, which reads no variable
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
		"GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@srun.test",
		"GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@srun.test",
	}
}
