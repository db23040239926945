//go:build linux

package registries

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patience is long enough for a slow registry and short enough for a suite.
const patience = time.Minute

// srun is the binary that `make build` makes, in a directory of its own.
var srun string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "srun-registries-")
	if err != nil {
		panic(err)
	}
	srun = filepath.Join(dir, "srun")
	build := exec.Command("make", "-s", "-C", "../../../..", "build", "OUT="+srun)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	status := 1
	if build.Run() == nil {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

func TestNPM(t *testing.T) {
	host := hostOf(t, outside(t, "npm", "config", "get", "registry"))
	compare(t, host, []string{"npm", "view", "is-number", "version"}, nil)
}

func TestGo(t *testing.T) {
	proxies := outside(t, "go", "env", "GOPROXY")
	first, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(proxies), "|", ","), ",")
	compare(t, hostOf(t, first), []string{"go", "mod", "download", "github.com/google/go-cmp@v0.7.0"},
		// The checksum database is another host.
		[]string{"GOSUMDB=off", "GOFLAGS=-modcacherw", "GOPROXY=" + first})
}

func TestApt(t *testing.T) {
	// As root, apt would become another user to download: there is none inside.
	apt := []string{"apt-get", "-o", "APT::Sandbox::User=root", "download"}
	uris := outside(t, append(apt, "--print-uris", "hostname")...)
	link := regexp.MustCompile(`'(http[^']+)'`).FindStringSubmatch(uris)
	if link == nil {
		t.Skipf("apt names no URL: %s", uris)
	}
	compare(t, hostOf(t, link[1]), append(apt, "hostname"), nil)
}

// compare runs command without srun, where a failure says that this machine
// does not reach host; then with srun and host allowed, where it must work; and
// then with nothing allowed, where it must not.
func compare(t *testing.T, host string, command, env []string) {
	if out, err := run(t, env, command...); err != nil {
		t.Skipf("not reached from here even without srun: %v\n%s", err, out)
	}
	allowed := append([]string{srun, "--allow-domain", host, "--"}, command...)
	if out, err := run(t, env, allowed...); err != nil {
		t.Errorf("with %s allowed: %v\n%s", host, err, out)
	}
	denied := append([]string{srun, "--"}, command...)
	out, err := run(t, env, denied...)
	if err == nil {
		t.Errorf("worked with nothing allowed:\n%s", out)
	}
	if want := "srun: denied network " + host + ":"; !strings.Contains(out, want) {
		t.Errorf("with nothing allowed, no line %q:\n%s", want, out)
	}
}

// run runs a command in an empty directory that also holds all its caches.
func run(t *testing.T, env []string, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := t.TempDir()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "NPM_CONFIG_CACHE="+dir, "NPM_CONFIG_FETCH_RETRIES=0",
		"GOMODCACHE="+filepath.Join(dir, "mod"), "GOCACHE="+filepath.Join(dir, "cache"))...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// outside returns what a command prints, and skips where it is not there.
func outside(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Skipf("%s: %v", strings.Join(command, " "), err)
	}
	return strings.TrimSpace(string(out))
}

func hostOf(t *testing.T, link string) string {
	t.Helper()
	parsed, err := url.Parse(link)
	if err != nil || parsed.Hostname() == "" {
		t.Skipf("%q names no host", link)
	}
	return parsed.Hostname()
}
