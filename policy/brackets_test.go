package policy

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDenyReadings(t *testing.T) {
	home := t.TempDir()
	for _, dir := range []string{"w/[WIP] p", "w/{{name}}/[x]", "w/W p"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		entry         string
		denied, other []string
	}{
		{"~/w/[WIP] p/*.pem", []string{"w/[WIP] p/a.pem", "w/W p/a.pem"}, []string{"w/[WIP] p/a.txt", "w/[WIP]p/a.pem"}},
		{"~/w/[WIP] p", []string{"w/[WIP] p/a", "w/I p"}, []string{"w/x"}},
		{"~/w/[WIP] p/a?", []string{"w/[WIP] p/ab", "w/W p/ab"}, []string{"w/[WIP] p/a"}},
		{"~/w/{{name}}/[x]/k", []string{"w/{{name}}/[x]/k", "w/{{name}}/x/k"}, []string{"w/{{name}}/[y]/k"}},
		{"~/w/not/[ab]/k", []string{"w/not/a/k"}, []string{"w/not/[ab]/k"}},
		{"~/**/[ab]/k", []string{"q/a/k", "q/r/[ab]/k"}, []string{"q/ab/k"}},
		{`~/w/\[WIP\] p/*`, []string{"w/[WIP] p/a"}, []string{"w/W p/a"}},
		{"~/w/{a,b/c}/k", []string{"w/a/k", "w/b/c/k"}, []string{"w/c/k"}},
		{"~/*[ab]*/k", []string{"xay/k", "x[ab]y/k"}, []string{"x/k"}},
	} {
		p, _, err := Load(Options{Dir: home, Home: home, Flags: Flags{"deny-read": {tt.entry}, "deny-write": {tt.entry}}})
		if err != nil {
			t.Errorf("%s: %v", tt.entry, err)
			continue
		}
		for _, path := range tt.denied {
			path = filepath.Join(home, path)
			if r, w := p.ReadVerdict(path), p.WriteVerdict(path); r.Verdict != Denied || w.Reason != "denyWrite" {
				t.Errorf("%s: %s: %+v, %+v", tt.entry, path, r, w)
			}
		}
		for _, path := range tt.other {
			path = filepath.Join(home, path)
			if r, w := p.ReadVerdict(path), p.WriteVerdict(path); r.Verdict == Denied || w.Verdict == Denied {
				t.Errorf("%s: %s: %+v, %+v", tt.entry, path, r, w)
			}
		}
	}
}

func TestDenyReadingsAreBounded(t *testing.T) {
	path := "/**"
	for range 40 {
		path += "/[ab]"
	}
	if n := len(denyReadings(PathRule{Path: path, Glob: true})); n > mostReadings+1 {
		t.Errorf("%d readings", n)
	}
}

// An allow is not read widely.
func TestAllowIsOneReading(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "[ab]"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, _, err := Load(Options{Dir: dir, Flags: Flags{"allow-read": {"[ab]"}, "deny-read": {dir}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.ReadVerdict(filepath.Join(dir, "[ab]/x")); got.Verdict != Denied {
		t.Errorf("%+v", got)
	}
}
