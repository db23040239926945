package policy

import (
	"slices"
	"testing"
)

func TestOtherHomes(t *testing.T) {
	dir := t.TempDir()
	for _, home := range []string{"", "/", "/other", "/real"} {
		p, _, err := Load(Options{Dir: dir, Home: home, OtherHomes: []string{"/real/"}, Credentials: []string{"/home/u/.ssh", "/real/.ssh"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/real/.ssh/id", "/real/.aws", "/home/u/.ssh/id", "/etc/shadow-", "/etc/ssh/ssh_host_ed25519_key"} {
			if got := p.ReadVerdict(path); got.Verdict != Denied || got.Source.Tier != TierDefault {
				t.Errorf("home %q: ReadVerdict(%s) = %+v", home, path, got)
			}
		}
		p.Filesystem.AllowWrite = []PathRule{{Path: "/"}}
		for _, path := range []string{"/real/.bashrc", "/real/.local/state/srun/trust.json", "/real/.config/srun/settings.json"} {
			if got := p.WriteVerdict(path); got.Verdict != Denied || got.Reason != "protected path" {
				t.Errorf("home %q: WriteVerdict(%s) = %+v", home, path, got)
			}
		}
		var paths []string
		for _, r := range p.Filesystem.DenyRead {
			if slices.Contains(paths, r.Path) {
				t.Errorf("home %q: %s is there twice", home, r.Path)
			}
			paths = append(paths, r.Path)
		}
		if home == "/" && !slices.Contains(paths, "/.ssh") {
			t.Error("home /: /.ssh is not denied")
		}
	}
}

func TestOtherHomeIsAbsolute(t *testing.T) {
	if _, _, err := Load(Options{Dir: t.TempDir(), OtherHomes: []string{"home"}}); err == nil {
		t.Error("want an error")
	}
}
