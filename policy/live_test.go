package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLive(t *testing.T) {
	dir := t.TempDir()
	managed, settings := filepath.Join(dir, "managed"), filepath.Join(dir, "settings.json")
	os.Mkdir(managed, 0o755)
	os.WriteFile(filepath.Join(managed, "managed-settings.json"), []byte(`{"network": {"deniedDomains": ["managed.test"]}}`), 0o644)
	os.WriteFile(settings, []byte(`{"network": {"allowedDomains": ["settings.test"], "deniedDomains": ["once.test"]}}`), 0o644)
	u := NewLive(Options{
		Dir: dir, ManagedDir: managed, SettingsFiles: []string{settings},
		Flags: Flags{"allow-domain": {"flag.test"}, "deny-domain": {"flag-denied.test"}},
	})
	judge := func(d *Domains, name string) Verdict {
		hp, err := ParseHostPort(name + ":443")
		if err != nil {
			t.Fatal(err)
		}
		return d.Decide(hp).Verdict
	}
	d, notices, err := u.Update([]byte(`{"network": {"allowedDomains": ["live.test", "managed.test", "flag-denied.test", "once.test"]}}`))
	if err != nil || len(notices) > 0 {
		t.Fatal(notices, err)
	}
	for name, want := range map[string]Verdict{
		"live.test": Allowed, "flag.test": Allowed, "once.test": Allowed,
		"managed.test": Denied, "flag-denied.test": Denied, "settings.test": Undecided,
	} {
		if got := judge(d, name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if d, _, err = u.Update([]byte(`{}`)); err != nil || judge(d, "live.test") != Undecided {
		t.Errorf("an update stands for itself: %v", err)
	}
	for _, bad := range []string{`{`, `[]`, `null x`, `{"network": {"allowedDomain": ["x.test"]}}`, `{"network": {"allowedDomains": ["*.com"]}}`} {
		if _, _, err := u.Update([]byte(bad)); err == nil || !strings.Contains(err.Error(), LiveFlag) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// What takes no effect is said once for as long as it is the same.
func TestLiveNotices(t *testing.T) {
	u := NewLive(Options{Dir: t.TempDir()})
	for _, step := range []struct{ line, want string }{
		{`{"filesystem": {"denyRead": ["/x"]}, "network": {"strictAllowlist": true, "allowedDomains": []}}`, "filesystem, network"},
		{`{"network": {"allowedDomains": ["a.test"], "strictAllowlist": true}, "filesystem": {"denyRead": ["/x"]}}`, ""},
		{`{"filesystem": {"denyRead": ["/y"]}}`, "filesystem"},
		{`{}`, ""},
		{`{"filesystem": {"denyRead": ["/y"]}}`, "filesystem"},
	} {
		_, notices, err := u.Update([]byte(step.line))
		got := ""
		if len(notices) == 1 {
			_, got, _ = strings.Cut(notices[0].Msg, "left aside: ")
		}
		if err != nil || got != step.want {
			t.Errorf("%s: %q %v", step.line, got, err)
		}
	}
}
