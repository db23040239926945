//go:build linux

package broker

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProtected(t *testing.T) {
	x := newIndex(&Rules{Names: []Name{
		{Name: ".envrc"}, {Name: ".claude/settings.json"}, {Name: "*.code-workspace"},
		{Name: ".config/mise/config.toml"},
	}})
	for path, holder := range map[string]string{
		"/p/.envrc": "/p", "/p/.envrc/x": "/p", "/.envrc": "/", "/p/envrc": "",
		"/p/.claude/settings.json": "/p", "/p/.claude": "", "/p/.claude/CLAUDE.md": "",
		"/p/a.code-workspace": "/p", "/p/.config/mise/config.toml": "/p", "/p/.config/mise": "",
	} {
		found := x.protected(path)
		if (len(found) > 0) != (holder != "") || holder != "" && found[0].holder != holder {
			t.Errorf("%s: %+v, want a name in %q", path, found, holder)
		}
	}
}

func TestReserved(t *testing.T) {
	x := newIndex(&Rules{
		Reserved: map[string]Why{"/p/no": {Reason: "r"}},
		Globs:    []Glob{{Pattern: "/p/**/*.pem", Why: Why{Reason: "g"}}},
	})
	for path, reason := range map[string]string{
		"/p/no": "r", "/p/no/x": "r", "/p/nope": "", "/p/a/b.pem": "g", "/p/a/b.pem/x": "g", "/q/b.pem": "",
	} {
		got := ""
		if why := x.reserved(path); why != nil {
			got = why.Reason
		}
		if got != reason {
			t.Errorf("%s: %q, want %q", path, got, reason)
		}
	}
}

// A name that an old directory had counts, whatever takes its place and wherever
// it got to.
func TestAges(t *testing.T) {
	top := t.TempDir()
	open := func(name string) (int, bornID) {
		t.Helper()
		fd, err := pathDir(unix.AT_FDCWD, filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		id, _ := bornIDAt(fd, "")
		t.Cleanup(func() { unix.Close(fd) })
		return fd, id
	}
	for _, dir := range []string{"src/lib", "src/gone", "new"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := open(".")
	src, srcID := open("src")
	_, goneID := open("src/gone")
	_, newID := open("new")
	a := newAges(nil)
	defer a.close()
	a.add(newID, "/p/new")
	if !a.isNew(newID) || a.isNew(srcID) {
		t.Error("the directory that was made is not the new one")
	}
	a.remove(goneID, src, "gone", "/p/src/gone")
	os.Remove(filepath.Join(top, "src/gone"))
	os.Rename(filepath.Join(top, "src"), filepath.Join(top, "new/src"))
	in, _ := open("new")
	a.rename(srcID, spot{p, "src"}, "/p/src", spot{in, "src"})
	os.Rename(filepath.Join(top, "new"), filepath.Join(top, "elsewhere")) // a new one's move is not told of
	for path, want := range map[string]bool{
		"/p/src": true, "/p/src/lib": true, "/p/src/gone": true, "/p/src/other": false, "/p/new": false, "/p/new/src": false,
	} {
		if a.tookPlace(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
	if a.remove(newID, p, "new", "/p/new"); a.isNew(newID) || a.tookPlace("/p/new") {
		t.Error("a new directory that is gone is remembered")
	}
	if a.add(newID, "/p/src"); a.isNew(newID) {
		t.Error("a directory in an old one's place counts as new")
	}
}

func TestCallNumbers(t *testing.T) {
	for arch, abi := range abis {
		seen := map[kind]bool{}
		for nr, k := range abi.calls {
			if seen[k] || nr < 0 {
				t.Errorf("ABI %#x: call %d stands twice", arch, nr)
			}
			seen[k] = true
		}
	}
	if k, _ := kindOf(&notification{arch: 1}); k != unknownCall {
		t.Error("an unknown ABI's call is known")
	}
}

func TestUnixAddress(t *testing.T) {
	p, ok := pathAddress(unixAddress("/proc/self/fd/9"))
	if !ok || p != "/proc/self/fd/9" {
		t.Error(p, ok)
	}
	if _, ok := pathAddress([]byte{unix.AF_UNIX, 0, 0, 'x'}); ok {
		t.Error("an abstract name is a path")
	}
}
