package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"srun/policy"
)

// globTree makes files, and links where a name has an arrow, and returns their
// directory.
func globTree(t *testing.T, files ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, target, link := strings.Cut(f, "->")
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil && link {
			err = os.Symlink(target, path)
		} else if err == nil {
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func glob(path string) policy.PathRule {
	return policy.PathRule{Path: path, Glob: true, Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}}
}

func TestNewGlobs(t *testing.T) {
	dir := globTree(t, "p/x", "s/a.pem", "s/b/c.pem", "s/b/.env", "s/[x]", "o/deep/.env", "s/link->../o", "s/loop->.")
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"s/*.pem", []string{"s/a.pem"}},
		{"s/**/*.pem", []string{"s/a.pem", "s/b/c.pem"}},
		{"s/**/.env", []string{"s/b/.env", "o/deep/.env"}},
		{"s/*/.env", []string{"s/b/.env"}},
		{"s/*/deep", []string{"o/deep"}},
		{"s/{a.pem,b/c.pem}", []string{"s/a.pem", "s/b/c.pem"}},
		{"s/[x]", []string{"s/[x]"}},
		{"s/*.none", nil},
		{"none/*", nil},
	} {
		t.Run(c.pattern, func(t *testing.T) {
			p := &policy.Policy{Filesystem: policy.Filesystem{Tmp: policy.TmpHost, DenyRead: []policy.PathRule{glob(dir + "/" + c.pattern)}}}
			plan, err := New(p, dir+"/p", osHost())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, op := range plan.Mounts {
				if rel, ok := strings.CutPrefix(op.Path, dir+"/"); ok && op.Kind == OpMask {
					got = append(got, rel)
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("hides %q, want %q", got, c.want)
			}
		})
	}
}

// A glob that could match what the command makes is the broker's as well.
func TestNewHandsOnGlobs(t *testing.T) {
	dir := globTree(t, "p/sub/x", "q/x")
	for pattern, handed := range map[string]bool{
		"p/*.pem": true, "p/sub/**/.env": true, "**/.env": true, "*/*.pem": true, "*/sub/*": true, "{p,q}/x": true,
		"q/*.pem": false, "*": false, "q*/x": false,
	} {
		for _, list := range []policy.Filesystem{{DenyRead: []policy.PathRule{glob(dir + "/" + pattern)}}, {DenyWrite: []policy.PathRule{glob(dir + "/" + pattern)}}} {
			plan, err := New(&policy.Policy{Filesystem: list}, dir+"/p", osHost())
			if err != nil {
				t.Fatal(err)
			}
			if got := len(plan.Rules.Globs) == 1; got != handed {
				t.Errorf("%s: %v", pattern, plan.Rules.Globs)
			}
		}
	}
}

func TestNewBoundsGlobs(t *testing.T) {
	var files []string
	for i := range 300 {
		files = append(files, fmt.Sprintf("q/%d", i))
	}
	dir := globTree(t, append(files, "p/x")...)
	g := globber{files: osFiles{}, pattern: "none", within: map[FileID]bool{}, entries: maxGlobbed - 300}
	if err := g.walk(dir+"/q", ""); err != nil {
		t.Error(err)
	}
	g = globber{files: osFiles{}, pattern: "none", within: map[FileID]bool{}, entries: maxGlobbed - 299}
	if err := g.walk(dir+"/q", ""); err == nil || !strings.Contains(err.Error(), "narrower") {
		t.Errorf("no bound: %v", err)
	}
}

// An allow with wildcards opens what is there.
func TestNewAllowsGlobs(t *testing.T) {
	dir := globTree(t, "p/x", "c/a/dist/x", "c/b/dist/x", "c/b/src/x")
	p := &policy.Policy{Filesystem: policy.Filesystem{AllowWrite: []policy.PathRule{glob(dir + "/c/*/dist")}}}
	plan, err := New(p, dir+"/p", osHost())
	if err != nil {
		t.Fatal(err)
	}
	ops := printOps(plan.Mounts)
	for _, want := range []string{"c/a/dist", "c/b/dist"} {
		if !strings.Contains(ops, "attach the copy "+dir+"/"+want+" ") {
			t.Errorf("%s is not writable:\n%s", want, ops)
		}
	}
}
