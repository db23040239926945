package launcher

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"srun/policy"
)

// files makes files with their paths as contents, and returns the directory.
func files(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A tree goes whatever its modes, its depth and its names are, and nothing that a
// link in it leads to.
func TestRemoveTree(t *testing.T) {
	dir := files(t, "kept/file", "tree/.1", "tree/a/.2/file", "tree/closed/in/file")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := errors.Join(root.Symlink("../kept", "tree/link"), root.Symlink("../../kept", "tree/a/link"), root.Mkdir("tree/deep", 0o700)); err != nil {
		t.Fatal(err)
	}
	at, err := root.OpenRoot("tree/deep")
	for range 3000 { // deeper than descriptors go, and than paths are long
		if err == nil {
			err = at.Mkdir("deeper", 0o700)
		}
		below := at
		if err == nil {
			at, err = below.OpenRoot("deeper")
		}
		below.Close()
	}
	at.Close()
	if err = errors.Join(err, root.Chmod("tree/closed/in", 0), root.Chmod("tree/closed", 0), root.Chmod("tree/a", 0o100)); err != nil {
		t.Fatal(err)
	}
	if err := removeTree(root, "tree"); err != nil {
		t.Error(err)
	}
	if _, err := root.Lstat("tree"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the tree is there: %v", err)
	}
	if b, err := root.ReadFile("kept/file"); string(b) != "kept/file" {
		t.Errorf("what a link leads to: %q, %v", b, err)
	}
}

// What an earlier run put in the place of something of srun's is neither followed nor
// waited for.
func TestPlantedInCaches(t *testing.T) {
	project := projectOf("/p")
	old := time.Now().Add(-2 * unusedFor)
	for _, plant := range []struct {
		name string
		make func(at string) error
	}{
		{"", nil}, // the control: all is made
		{"srun", linkTo("docs")}, {"srun/caches", linkTo("docs")},
		{"srun/caches/" + project, linkTo("docs")}, {"srun/caches/" + project + "/0", linkTo("docs/thesis")},
		{"srun/caches/" + project + "/0/npm", linkTo("docs")}, {"srun/caches/" + project + "/0/npm/upper", linkTo("docs")},
		{"srun/caches/" + project + "/0/bare", linkTo("docs")}, {"srun/caches/" + project + "/0/lock", linkTo("docs/thesis/text")},
		{"srun/caches/" + project + "/0/lock", func(at string) error { return unix.Mkfifo(at, 0o600) }},
		{"srun/caches/pruned", linkTo("docs/thesis/text")},
		{"srun/caches/pruned", func(at string) error { return errors.Join(unix.Mkfifo(at, 0o600), os.Chtimes(at, old, old)) }},
		{"srun/caches/x", linkTo("docs")},
	} {
		home := files(t, ".npm/x", "docs/thesis/text", "docs/thesis/lock")
		if err := os.Chtimes(filepath.Join(home, "docs/thesis/lock"), old, old); err != nil {
			t.Fatal(err)
		}
		if at := filepath.Join(home, ".cache", plant.name); plant.make != nil {
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), plant.make(at)); err != nil {
				t.Fatal(err)
			}
		}
		p := &policy.Policy{Home: home, Filesystem: policy.Filesystem{WriteRoot: "/p"}}
		c := openCaches(p, nil)
		if plant.make == nil && (len(c.layers) != 1 || c.bare == "" || len(c.env) == 0) {
			t.Errorf("the control: %+v", c)
		}
		c.close()
		for _, all := range []bool{false, true} {
			ClearCaches(p, nil, all)
		}
		for _, name := range []string{"docs/thesis/text", ".npm/x", "docs/thesis/lock"} {
			if b, err := os.ReadFile(filepath.Join(home, name)); string(b) != name {
				t.Errorf("%s planted: %s is %q, %v", plant.name, name, b, err)
			}
		}
		if entries, _ := os.ReadDir(filepath.Join(home, "docs")); len(entries) != 1 {
			t.Errorf("%s planted: %v was made", plant.name, entries)
		}
	}
}

// linkTo makes a link to something in the home.
func linkTo(what string) func(at string) error {
	return func(at string) error {
		home := at
		for filepath.Base(home) != ".cache" {
			home = filepath.Dir(home)
		}
		return os.Symlink(filepath.Join(filepath.Dir(home), what), at)
	}
}

// What nobody used for a month goes, and what a run has stays.
func TestCachesAreKept(t *testing.T) {
	home := files(t, ".npm/x")
	p := &policy.Policy{Home: home, Filesystem: policy.Filesystem{WriteRoot: "/p"}}
	first, second := openCaches(p, nil), openCaches(p, nil)
	if first.path == second.path || first.path == "" {
		t.Fatalf("two runs have %q and %q", first.path, second.path)
	}
	if busy, err := ClearCaches(p, nil, true); busy != 2 || err != nil {
		t.Errorf("clear: %d busy, %v", busy, err)
	}
	first.close()
	second.close()
	old := time.Now().Add(-2 * unusedFor)
	store := filepath.Join(home, ".cache/srun/caches")
	for i, name := range []string{"pruned", projectOf("/p") + "/1/lock"} {
		if err := os.Chtimes(filepath.Join(store, name), old, old); err != nil {
			t.Fatal(i, err)
		}
	}
	third := openCaches(&policy.Policy{Home: home, Filesystem: policy.Filesystem{WriteRoot: "/q"}}, nil)
	defer third.close()
	for i, want := range []bool{true, false} {
		if _, err := os.Lstat(filepath.Join(store, projectOf("/p"), strconv.Itoa(i))); (err == nil) != want {
			t.Errorf("slot %d: there %v, want %v", i, err == nil, want)
		}
	}
}

// A variable that is of more than the cache keeps what the user has in it, unless that
// is withheld.
func TestCachesKeepTheUsersVariable(t *testing.T) {
	home := files(t, ".npm/x")
	for _, test := range []struct{ own, unset, want string }{
		{"", "", "MAVEN_OPTS=-Dmaven.repo.local="},
		{"-Xmx1g", "", "MAVEN_OPTS=-Xmx1g -Dmaven.repo.local="},
		{"-Xmx1g", "MAVEN_*", "MAVEN_OPTS=-Dmaven.repo.local="},
	} {
		p := &policy.Policy{Home: home, Filesystem: policy.Filesystem{WriteRoot: "/p"}}
		if test.unset != "" {
			p.Environment.Unset = []policy.EnvRule{{Glob: test.unset}}
		}
		c := openCaches(p, []string{"MAVEN_OPTS=" + test.own})
		if !slices.ContainsFunc(c.env, func(kv string) bool { return strings.HasPrefix(kv, test.want) }) {
			t.Errorf("with %q, unset %q: %q, want %q", test.own, test.unset, c.env, test.want)
		}
		c.close()
	}
}
