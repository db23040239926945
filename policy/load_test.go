package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world is a home, a managed directory and a project, each empty at first.
type world struct {
	t    testing.TB
	root string
	Options
}

func newWorld(t testing.TB) *world {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, root: root}
	w.Options = Options{
		Home: w.path("home"), ManagedDir: w.path("etc/srun"), Dir: w.path("home/project"), GOOS: "linux",
	}
	for _, dir := range []string{"home/project/.git", "home/project/sub", "etc/srun"} {
		if err := os.MkdirAll(w.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.root, name) }

// The files of a world.
const (
	userFile    = "home/.config/srun/settings.json"
	sharedFile  = "home/project/.srun/settings.json"
	localFile   = "home/project/.srun/settings.local.json"
	managedFile = "etc/srun/managed-settings.json"
	dropInFile  = "etc/srun/managed-settings.d/50-extra.json"
)

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) trust() {
	w.t.Helper()
	if _, err := Trust(w.Options); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) load() (*Policy, []string) {
	w.t.Helper()
	p, notices, err := Load(w.Options)
	if err != nil {
		w.t.Fatalf("Load: %v", err)
	}
	var lines []string
	for _, n := range notices {
		lines = append(lines, relative(w, n.String()))
	}
	return p, lines
}

// loadError returns the error's line with the world's root left out.
func (w *world) loadError() string {
	w.t.Helper()
	p, _, err := Load(w.Options)
	if err == nil || p != nil {
		w.t.Fatalf("Load = %v, %v; want an error alone", p, err)
	}
	var known *Error
	if !errors.As(err, &known) {
		w.t.Errorf("Load error is a %T; want *Error", err)
	}
	if strings.Contains(err.Error(), "\n") {
		w.t.Errorf("Load error has more than one line: %q", err)
	}
	return relative(w, err.Error())
}

func patterns(rules []DomainRule) []string {
	var list []string
	for _, r := range rules {
		list = append(list, r.Pattern.String())
	}
	return list
}

func TestLoadNothing(t *testing.T) {
	w := newWorld(t)
	p, notices := w.load()
	if len(notices) != 0 || !p.Network.Domains().Empty() || p.Network.Mode != ModeFiltered || p.Network.Strict {
		t.Errorf("Load with no settings = %+v, notices %q", p.Network, notices)
	}
	if got := p.Filesystem.AllowWrite; len(got) != 1 || got[0].Path != w.Dir {
		t.Errorf("AllowWrite = %+v; want the working directory alone", got)
	}
}

func TestTiers(t *testing.T) {
	w := newWorld(t)
	w.write(managedFile, `{"network": {"allowedDomains": ["managed.example"], "httpProxyPort": 1}}`)
	w.write(dropInFile, `{"network": {"allowedDomains": ["dropin.example"], "httpProxyPort": 2}}`)
	w.write("extra.json", `{"network": {"allowedDomains": ["extra.example"], "socksProxyPort": 4}}`)
	w.write("later.json", `{"network": {"socksProxyPort": 5}, "limits": {"pids": 5}}`)
	w.write(localFile, `{"network": {"allowedDomains": ["local.example"]}, "limits": {"pids": 7, "memory": "1G"}}`)
	w.write(sharedFile, `{"network": {"allowedDomains": ["shared.example", "user.example"]}, "limits": {"memory": "2G", "cpus": 2}}`)
	w.write(userFile, `{"network": {"allowedDomains": ["user.example", "managed.example"]}, "limits": {"cpus": 8, "timeout": 90}}`)
	w.trust()
	w.SettingsFiles = []string{w.path("extra.json"), "../../later.json"}
	w.Flags = Flags{"allow-domain": {"flag.example,Second.example"}, "socks-proxy-port": {"3"}}

	p, notices := w.load()
	if len(notices) != 0 {
		t.Errorf("notices = %q", notices)
	}
	want := []string{
		"dropin.example", "managed.example", "flag.example", "second.example", "extra.example",
		"local.example", "shared.example", "user.example",
	}
	if diff := cmp.Diff(want, patterns(p.Network.Allow)); diff != "" {
		t.Errorf("allowed, strongest first:\n%s", diff)
	}
	if p.Network.HTTPProxyPort != 2 || p.Network.SOCKSProxyPort != 3 {
		t.Errorf("ports = %d, %d; want 2 of the drop-in and 3 of the flag", p.Network.HTTPProxyPort, p.Network.SOCKSProxyPort)
	}
	if got, want := p.Limits, (Limits{Timeout: 90e9, Memory: 1 << 30, PIDs: 5, CPUs: 2}); got != want {
		t.Errorf("limits = %+v; want %+v", got, want)
	}
	source := p.Network.Domains().Decide(mustHostPort(t, "user.example:443")).Source
	if got := strings.TrimPrefix(source.String(), w.root+"/"); got != sharedFile+":1" || source.Tier != TierProject {
		t.Errorf("source = %s (%v); want the first of the two files", got, source.Tier)
	}
}

func TestDenyBeatsAllowAcrossTiers(t *testing.T) {
	w := newWorld(t)
	w.write(managedFile, `{"network": {"allowedDomains": ["a.example"]}}`)
	w.write(userFile, `{"network": {"deniedDomains": ["*.example"], "deniedDomainReasons": {"*.EXAMPLE": "not for us"}}}`)
	w.Flags = Flags{"allow-domain": {"b.example"}}
	p, _ := w.load()
	for _, host := range []string{"a.example:443", "b.example:443"} {
		if dec := p.Network.Domains().Decide(mustHostPort(t, host)); dec.Verdict != Denied || dec.Reason != "not for us" {
			t.Errorf("Decide(%s) = %+v; want the user's denial", host, dec)
		}
	}
}

func TestManagedDomainsOnly(t *testing.T) {
	w := newWorld(t)
	w.write(managedFile, `{"network": {"allowedDomains": ["a.example"], "allowManagedDomainsOnly": true}}`)
	w.write(userFile, `{"network": {"allowedDomains": ["b.example"]}}`)
	w.Flags = Flags{"allow-domain": {"c.example"}}
	p, notices := w.load()
	if got := patterns(p.Network.Allow); len(got) != 1 || got[0] != "a.example" || !p.Network.Strict || len(notices) != 1 {
		t.Errorf("allowed = %q, strict %v, notices %q; want the managed name alone, strict", got, p.Network.Strict, notices)
	}
	w.write(userFile, `{"network": {"allowManagedDomainsOnly": true}}`)
	if got := w.loadError(); !strings.Contains(got, "only a managed settings file") {
		t.Errorf("error = %q", got)
	}
}

func TestRelativePaths(t *testing.T) {
	w := newWorld(t)
	w.Dir = w.path("home/project/sub")
	w.write(userFile, `{"filesystem": {"denyWrite": [".env", "~/x", "~"]}}`)
	w.write(sharedFile, `{"filesystem": {"denyWrite": [".env", "/abs//./b/", "../up", "sub/**", "a/*.pem", {"path": "[id]", "literal": true}]}}`)
	w.Flags = Flags{"deny-write": {"flag"}}
	p, _ := w.load()
	var got []string
	for _, r := range p.Filesystem.DenyWrite {
		mark := ""
		if r.Glob {
			mark = " glob"
		}
		got = append(got, strings.TrimPrefix(r.Path, w.root+"/")+mark)
	}
	want := []string{
		"home/project/sub/flag", "home/project/.env", "/abs/b", "home/up", "home/project/sub", "home/project/a/*.pem glob",
		"home/project/[id]", "home/project/sub/.env", "home/x", "home",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("denyWrite:\n%s", diff)
	}
	if p.Project != w.path("home/project") {
		t.Errorf("Project = %s", p.Project)
	}
}

func TestMissingPaths(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, "{\"filesystem\": {\n \"allowWrite\": [\"/nowhere/w\", \"~\"],\n \"denyWrite\": [\"/nowhere/d\"]}}")
	p, notices := w.load()
	want := []string{userFile + ":2: filesystem.allowWrite: /nowhere/w is not there: entry left out"}
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("notices:\n%s", diff)
	}
	if got := p.Filesystem.AllowWrite; len(got) != 2 || got[0].Path != w.Home {
		t.Errorf("AllowWrite = %+v; want the home and the cwd", got)
	}
	if got := p.Filesystem.DenyWrite; len(got) != 1 || !got[0].Missing {
		t.Errorf("DenyWrite = %+v; want the missing path kept", got)
	}
	w.Flags = Flags{"allow-write": {"nope"}}
	if got := w.loadError(); got != "--allow-write: home/project/nope: no such file or directory" {
		t.Errorf("error = %q", got)
	}
}

func TestProjectIsTheNearest(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ dir, want string }{
		{"home/project/sub", "home/project"},
		{"home/project", "home/project"},
		{"home", "home"},
	} {
		if got := findProject(w.path(tt.dir)); got != w.path(tt.want) {
			t.Errorf("findProject(%s) = %s; want %s", tt.dir, got, tt.want)
		}
	}
	w.write("home/project/sub/.srun/settings.json", `{}`)
	if got := findProject(w.path("home/project/sub")); got != w.path("home/project/sub") {
		t.Errorf("findProject = %s; want the directory with .srun", got)
	}
	w.write(sharedFile, `not read`)
	w.Dir, w.NoProject = w.path("home/project"), true
	w.load()
}

func TestUnreadableFiles(t *testing.T) {
	w := newWorld(t)
	w.SettingsFiles = []string{"gone.json"}
	if got := w.loadError(); !strings.HasPrefix(got, "--settings: home/project/gone.json: cannot open it: no such file") {
		t.Errorf("missing --settings: %q", got)
	}
	w.SettingsFiles = []string{"."}
	if got := w.loadError(); !strings.Contains(got, "a directory") {
		t.Errorf("--settings of a directory: %q", got)
	}
	w.SettingsFiles = nil
	if err := os.MkdirAll(w.path(userFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := w.loadError(); !strings.HasSuffix(got, "settings.json: not a regular file") {
		t.Errorf("a directory for a file: %q", got)
	}
}

func TestLoadNeedsAbsoluteDirectories(t *testing.T) {
	for _, o := range []Options{{Dir: "x"}, {}, {Dir: "/", Home: "x"}} {
		if _, _, err := Load(o); err == nil {
			t.Errorf("Load(%+v): want an error", o)
		}
	}
}

func BenchmarkLoadNothing(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Load(w.Options); err != nil {
			b.Fatal(err)
		}
	}
}

func relative(w *world, line string) string { return strings.ReplaceAll(line, w.root+"/", "") }
