package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlanted(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	opts := Options{Dir: project, Home: home}
	dir := filepath.Join(project, ".srun")
	local, shared := filepath.Join(dir, "settings.local.json"), filepath.Join(dir, "settings.json")
	check := func(what string, during, final []string) {
		t.Helper()
		if d := cmp.Diff(during, Planted(opts, project, false)); d != "" {
			t.Errorf("%s, during the run: %s", what, d)
		}
		if d := cmp.Diff(final, Planted(opts, project, true)); d != "" {
			t.Errorf("%s, at the end: %s", what, d)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check("nothing", nil, nil)
	must(os.Symlink(home, dir))
	check("a link", []string{dir}, []string{dir})
	must(os.Remove(dir))
	must(os.Mkdir(dir, 0o755))
	check("an empty directory", nil, []string{dir})
	must(os.WriteFile(shared, []byte("{}"), 0o644))
	check("an untrusted file", []string{shared}, []string{dir})

	target, err := ParseHostPort("example.com:443")
	must(err)
	must(AllowAlways(opts, target))
	check("an answer beside it", []string{shared}, []string{shared})
	must(os.Remove(shared))
	check("an answer", nil, nil)
	must(os.WriteFile(local, []byte(`{"network": {"allowedDomains": ["*"]}}`), 0o644))
	check("an answer that was changed", []string{local}, []string{dir})
}
