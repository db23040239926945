package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUntrustedProjectMayOnlyTighten(t *testing.T) {
	w := newWorld(t)
	w.write(userFile, `{"network": {"allowedDomains": ["ok.example", "bad.example"], "strictAllowlist": true, "allowLocalBinding": true},
		"limits": {"pids": 10, "timeout": 60}}`)
	w.write(sharedFile, `{"network": {"allowedDomains": ["evil.example"], "deniedDomains": ["bad.example"], "strictAllowlist": false,
			"allowLocalBinding": false, "allowAllUnixSockets": true, "allowUnixSockets": ["/"], "upstreamProxy": "http://evil.example:1",
			"httpProxyPort": 1, "tlsTerminate": {}, "rules": [
				{"host": "ok.example", "paths": ["/a"], "action": "deny"}, {"host": "ok.example", "action": "allow"}]},
		"filesystem": {"allowWrite": ["~"], "allowRead": ["~/.ssh"], "denyRead": ["secret"], "allowGitConfig": true},
		"environment": {"allow": ["*"], "deny": ["FOO"]}, "enableWeakerNestedSandbox": true, "ignoreViolations": {"*": ["/"]},
		"permissions": {"allow": ["WebFetch(domain:more.example)"], "deny": ["Read(./hidden)"]},
		"limits": {"pids": 5, "timeout": 3600, "memory": "1G"}, "profiles": ["x"]}`)
	p, notices := w.load()
	if len(notices) != 1 || !strings.HasPrefix(notices[0], sharedFile+": not trusted: network.allowedDomains, ") ||
		!strings.HasSuffix(notices[0], " ignored") {
		t.Errorf("notices = %q; want one line", notices)
	}
	if _, told, _ := Load(w.Options); told[0].Remedy != RemedyTrust {
		t.Errorf("remedy = %v; want RemedyTrust", told[0].Remedy)
	}
	n := p.Network
	if got := patterns(n.Allow); !slices.Equal(got, []string{"ok.example", "bad.example"}) {
		t.Errorf("allowed = %q", got)
	}
	if !n.Strict || n.AllowLocalBinding || n.AllUnixSockets || len(n.UnixSockets) != 0 || n.UpstreamProxy != nil ||
		n.HTTPProxyPort != 0 || n.TLSTerminate != nil || len(n.Rules) != 1 || n.Rules[0].Action != Denied {
		t.Errorf("Network = %+v", n)
	}
	if got := n.Domains().Decide(mustHostPort(t, "bad.example:443")); got.Verdict != Denied || got.Source.Tier != TierProject {
		t.Errorf("Decide = %+v; want the project's denial", got)
	}
	if got := p.Limits; got.PIDs != 5 || got.Timeout != 60e9 || got.Memory != 1<<30 {
		t.Errorf("limits = %+v; want the lower of each", got)
	}
	f := p.Filesystem
	if len(f.AllowWrite) != 1 || slices.ContainsFunc(f.AllowRead, func(r PathRule) bool { return r.Source.Tier != TierDefault }) || f.AllowGitConfig || len(p.Weaker) != 0 || len(p.Environment.Allow) != 0 ||
		len(p.Profiles) != 0 || len(p.IgnoreViolations) != 0 || len(p.Permissions) != 1 {
		t.Errorf("Policy = %+v", p)
	}
	for _, path := range []string{"home/project/secret/x", "home/project/hidden"} {
		if got := p.ReadVerdict(w.path(path)); got.Verdict != Denied {
			t.Errorf("ReadVerdict(%s) = %+v; want the project's denial", path, got)
		}
	}
}

func TestTrustIsByContent(t *testing.T) {
	w := newWorld(t)
	w.write(sharedFile, `{"network": {"allowedDomains": ["a.example"]}}`)
	paths, err := Trust(w.Options)
	if err != nil || !slices.Equal(paths, []string{w.path(sharedFile)}) {
		t.Fatalf("Trust = %q, %v", paths, err)
	}
	if p, notices := w.load(); len(notices) != 0 || len(p.Network.Allow) != 1 {
		t.Errorf("trusted: allow %q, notices %q", patterns(p.Network.Allow), notices)
	}
	w.write(sharedFile, `{"network": {"allowedDomains": ["a.example", "b.example"]}}`)
	if p, notices := w.load(); len(notices) != 1 || len(p.Network.Allow) != 0 {
		t.Errorf("changed since: allow %q, notices %q", patterns(p.Network.Allow), notices)
	}
	w.write(sharedFile, `{"network": {"deniedDomains": ["b.example"]}}`)
	if _, notices := w.load(); len(notices) != 0 {
		t.Errorf("a file that only denies needs no trust, but: %q", notices)
	}
}

func TestTrustRecord(t *testing.T) {
	w := newWorld(t)
	if _, err := Trust(w.Options); err == nil || !strings.Contains(err.Error(), "nothing to trust") {
		t.Errorf("Trust without files: %v", err)
	}
	w.write(sharedFile, `{"network": {"allowedDomains": ["*.com"]}}`)
	if _, err := Trust(w.Options); err == nil || !strings.Contains(err.Error(), "public suffix") {
		t.Errorf("Trust of a broken file: %v", err)
	}
	w.write(sharedFile, `{"network": {"allowedDomains": ["a.example"]}}`)
	w.trust()
	record := w.path("home/.local/state/srun/trust.json")
	for path, want := range map[string]os.FileMode{record: 0o600, filepath.Dir(record): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %v", path, info.Mode(), err, want)
		}
	}
	w.write("home/.local/state/srun/trust.json", `{"version": 9}`)
	if got := w.loadError(); !strings.Contains(got, "trust record: version 9 is not known") {
		t.Errorf("a record of another version: %q", got)
	}
	if _, err := Trust(w.Options); err == nil {
		t.Error("Trust replaced a record it could not read")
	}
}

func TestPlantedPipeDoesNotHang(t *testing.T) {
	w := newWorld(t)
	if err := os.MkdirAll(filepath.Dir(w.path(sharedFile)), 0o755); err != nil {
		t.Fatal(err)
	}
	makePipe(t, w.path(sharedFile))
	if got := w.loadError(); !strings.HasSuffix(got, "not a regular file") {
		t.Errorf("error = %q", got)
	}
}

func TestAllowAlways(t *testing.T) {
	w := newWorld(t)
	w.Dir = w.path("home/project/sub")
	for _, host := range []string{"github.com:443", "github.com:22", "localhost:8080", "[2001:db8::1]:443"} {
		if _, err := AllowAlways(w.Options, mustHostPort(t, host)); err != nil {
			t.Fatal(err)
		}
	}
	p, notices := w.load()
	if diff := cmp.Diff([]string{"github.com", "localhost:8080", "2001:db8::1"}, patterns(p.Network.Allow)); diff != "" || len(notices) != 0 {
		t.Errorf("allowed, with notices %q:\n%s", notices, diff)
	}
	want := "{\n  \"network\": {\n    \"allowedDomains\": [\n      \"github.com\",\n      \"localhost:8080\",\n      \"2001:db8::1\"\n    ]\n  }\n}\n"
	got, err := os.ReadFile(w.path(localFile))
	if err != nil || string(got) != want {
		t.Errorf("%v, file:\n%s", err, got)
	}
	if left, _ := filepath.Glob(w.path("home/project/.srun/.*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAllowAlwaysDoesNotTrustTheRest(t *testing.T) {
	w := newWorld(t)
	planted := `{"filesystem": {"allowWrite": ["~"]}}`
	w.write(localFile, planted)
	_, err := AllowAlways(w.Options, mustHostPort(t, "github.com:443"))
	if err == nil || !strings.Contains(err.Error(), "not trusted, so nothing is added to it") || err.(*Error).Remedy != RemedyReview {
		t.Errorf("AllowAlways = %v", err)
	}
	if got, _ := os.ReadFile(w.path(localFile)); string(got) != planted {
		t.Errorf("the file changed: %s", got)
	}
	w.trust()
	if _, err := AllowAlways(w.Options, mustHostPort(t, "github.com:443")); err != nil {
		t.Error(err)
	}
	if p, notices := w.load(); len(notices) != 0 || len(p.Filesystem.AllowWrite) != 2 {
		t.Errorf("notices %q, AllowWrite %+v", notices, p.Filesystem.AllowWrite)
	}
}

func TestAllowAlwaysFollowsNoLink(t *testing.T) {
	for _, link := range []string{".srun", ".srun/settings.local.json"} {
		w := newWorld(t)
		w.write("home/project/victim/settings.local.json", `{}`)
		target := w.path("home/project/victim")
		if link != ".srun" {
			w.write(sharedFile, `{}`)
			target = filepath.Join(target, "settings.local.json")
		}
		if err := os.Symlink(target, w.path("home/project/"+link)); err != nil {
			t.Fatal(err)
		}
		w.trust()
		_, err := AllowAlways(w.Options, mustHostPort(t, "github.com:443"))
		if err == nil || !strings.Contains(err.Error(), "is not a") {
			t.Errorf("a link at %s: %v", link, err)
		}
		if got, _ := os.ReadFile(w.path("home/project/victim/settings.local.json")); string(got) != "{}" {
			t.Errorf("a link at %s: the target became %s", link, got)
		}
	}
}

func TestAllowAlwaysErrorKeepsTheFile(t *testing.T) {
	w := newWorld(t)
	old := `{"network": {"allowedDomains": ["a.example"]}}`
	w.write(localFile, old)
	w.trust()
	record := w.path("home/.local/state/srun/trust.json")
	kept, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	w.write("home/.local/state/srun/trust.json", "{broken")
	if _, err := AllowAlways(w.Options, mustHostPort(t, "b.example:443")); err == nil {
		t.Error("AllowAlways with a broken record: want an error")
	}
	w.write("home/.local/state/srun/trust.json", string(kept))
	w.StateHome = w.path("home/project/.git") // a place where the record cannot be made
	w.write("home/project/.git/srun", "in the way")
	if _, err := AllowAlways(w.Options, mustHostPort(t, "b.example:443")); err == nil {
		t.Error("AllowAlways with no place for the record: want an error")
	}
	if got, _ := os.ReadFile(w.path(localFile)); string(got) != old {
		t.Errorf("the file became %s", got)
	}
	if left, _ := filepath.Glob(w.path("home/project/.srun/.*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAllowAlwaysWithoutProject(t *testing.T) {
	w := newWorld(t)
	w.NoProject = true
	if _, err := AllowAlways(w.Options, mustHostPort(t, "a.example:1")); err == nil || !strings.Contains(err.Error(), "not read in this run") {
		t.Errorf("AllowAlways = %v", err)
	}
}

func TestReplaceFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "taken", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := replaceFile(root, "taken", []byte("x"), 0o600); err == nil {
		t.Error("replaceFile over a directory: want an error")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestConcurrentAnswersAreAllKept(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := AllowAlways(w.Options, HostPort{Host{name: fmt.Sprintf("h%d.example", i)}, 443}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if p, notices := w.load(); len(p.Network.Allow) != 20 || len(notices) != 0 {
		t.Errorf("%d hosts allowed, notices %q; want 20", len(p.Network.Allow), notices)
	}
}

// A planted .git or .srun makes a project of its own, and hides no denial.
func TestDenialsOfProjectsAbove(t *testing.T) {
	for _, planted := range []string{"sub/.git/HEAD", "sub/.srun/settings.json"} {
		w := newWorld(t)
		w.write(sharedFile, `{"network": {"allowedDomains": ["ok.example"], "deniedDomains": ["bad.example"], "strictAllowlist": true},
			"filesystem": {"denyRead": ["secret"], "allowWrite": ["/"]}, "limits": {"pids": 5, "memory": "1G"}}`)
		w.write(localFile, `{"network": {"deniedDomains": ["worse.example"]}}`)
		w.trust()
		w.write("home/project/"+planted, `{"network": {"strictAllowlist": false}, "limits": {"pids": 50}}`)
		w.write(userFile, `{"limits": {"memory": "2G"}}`)
		w.write("home/project/sub/dir/file", "")
		w.Dir = w.path("home/project/sub/dir")
		p, notices := w.load()
		if p.Project != w.path("home/project/sub") || len(p.Network.Allow) != 0 || len(p.Filesystem.AllowWrite) != 1 {
			t.Errorf("%s: project %s, allowed %q, %+v", planted, p.Project, patterns(p.Network.Allow), p.Filesystem.AllowWrite)
		}
		for _, n := range notices {
			if !strings.HasPrefix(n, "home/project/sub/") {
				t.Errorf("%s: notice %q", planted, n)
			}
		}
		var denied []string
		for _, r := range p.Network.Deny {
			denied = append(denied, r.Pattern.String())
		}
		if !slices.Equal(denied, []string{"worse.example", "bad.example"}) || !p.Network.Strict || p.Limits.PIDs != 5 || p.Limits.Memory != 1<<30 {
			t.Errorf("%s: denied %q, strict %v, limits %+v", planted, denied, p.Network.Strict, p.Limits)
		}
		if got := p.ReadVerdict(w.path("home/project/secret")); got.Verdict != Denied {
			t.Errorf("%s: ReadVerdict(secret) = %+v", planted, got)
		}
		w.NoProject = true
		if p, _ := w.load(); len(p.Network.Deny) != 0 {
			t.Errorf("%s: --no-project-settings reads %+v", planted, p.Network.Deny)
		}
	}
}

func TestBrokenFileAboveIsAnError(t *testing.T) {
	w := newWorld(t)
	w.write(sharedFile, `{`)
	w.write("home/project/sub/.git/HEAD", "")
	w.Dir = w.path("home/project/sub")
	if got := w.loadError(); !strings.HasPrefix(got, sharedFile+":") {
		t.Errorf("error = %q", got)
	}
}
