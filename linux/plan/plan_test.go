package plan

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"srun/policy"
	"srun/policy/gitfiles"
)

// fakeHost has the given directories and files, and links from one path to
// another.
func fakeHost(dirs, files []string, links map[string]string) Host {
	return fakeHostOf(func(path string) (Place, error) {
		return Walk(path, func(path string) (string, bool, error) {
			switch {
			case links[path] != "":
				return links[path], false, nil
			case slices.Contains(dirs, path):
				return "", true, nil
			case slices.Contains(files, path):
				return "", false, nil
			}
			return "", false, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
		})
	})
}

func fakeHostOf(find func(string) (Place, error)) Host {
	return Host{LandlockABI: 7, Name: "box", Files: fakeFiles{find, ""}}
}

// fakeFiles are empty.
type fakeFiles struct {
	find   func(string) (Place, error)
	mounts string
}

func (f fakeFiles) Find(path string) (Place, error) { return f.find(path) }
func (f fakeFiles) Mounts() ([]byte, error)         { return []byte(f.mounts), nil }
func (fakeFiles) OfRoot(string) bool                { return false }
func (fakeFiles) ID(string) (FileID, error)         { return FileID{}, fs.ErrNotExist }

func (f fakeFiles) Kind(path string) gitfiles.Kind {
	switch p, err := f.find(path); {
	case err != nil || p.Missing:
		return gitfiles.Missing
	case p.Dir:
		return gitfiles.Dir
	}
	return gitfiles.File
}

func (fakeFiles) ReadFile(string) []byte  { return nil }
func (fakeFiles) ReadDir(string) []string { return nil }
func (fakeFiles) Same(a, b string) bool   { return path.Base(a) == path.Base(b) }

func rules(paths ...string) []policy.PathRule {
	var list []policy.PathRule
	for _, p := range paths {
		list = append(list, policy.PathRule{Path: p, Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}})
	}
	return list
}

func TestNewMounts(t *testing.T) {
	host := fakeHost(
		[]string{"/", "/p", "/p/.git", "/p/.git/hooks", "/p/src", "/data", "/h", "/h/.ssh", "/etc"},
		[]string{"/p/.git/config", "/etc/hosts", "/h/.ssh/known_hosts"},
		map[string]string{"/link": "/data", "/p/out": "/data"},
	)
	for _, c := range []struct {
		name string
		fs   policy.Filesystem
		want []string // must be among the operations, in this order
		none []string // must not
	}{
		{
			"the directory, with what git runs held", policy.Filesystem{},
			[]string{"copy /p #0", "make read-only /", "attach the copy /p #0", "pin /p/.git", "bind read-only /p/.git/config", "bind read-only /p/.git/hooks", "replace /etc/hosts"},
			[]string{"/p/src"},
		},
		{
			"a link is judged by where it leads", policy.Filesystem{AllowWrite: rules("/link")},
			[]string{"copy /data #0", "attach the copy /data #0"}, []string{"/link"},
		},
		{
			"a link inside a writable directory opens nothing", policy.Filesystem{},
			nil, []string{"/data"},
		},
		{
			"a denied link denies its target", policy.Filesystem{AllowWrite: rules("/data"), DenyWrite: rules("/p/out")},
			nil, []string{"attach the copy /data"},
		},
		{
			"read again below what is hidden", policy.Filesystem{DenyRead: rules("/h/.ssh"), AllowRead: rules("/h/.ssh/known_hosts")},
			[]string{"copy /h/.ssh/known_hosts #1", "cover /h/.ssh open", "attach the copy /h/.ssh/known_hosts #1", "make read-only /h/.ssh"}, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := New(&policy.Policy{Filesystem: c.fs}, "/p", host)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(printOps(plan.Mounts), "\n")
			at := 0
			for _, want := range c.want {
				i := slices.Index(lines[at:], want)
				if i < 0 {
					t.Fatalf("no %q from line %d of:\n%s", want, at, strings.Join(lines, "\n"))
				}
				at += i + 1
			}
			for _, none := range c.none {
				if strings.Contains(printOps(plan.Mounts), none) {
					t.Errorf("%s is in the plan:\n%s", none, printOps(plan.Mounts))
				}
			}
		})
	}
}

// missing returns what a plan has to keep from being made.
func missing(plan *Plan) []string {
	var list []string
	for _, m := range plan.Missing {
		list = append(list, m.Path+" in "+m.Root)
	}
	return list
}

func TestNewMissing(t *testing.T) {
	host := fakeHost([]string{"/", "/p", "/p/a", "/p/.claude", "/data"}, nil, map[string]string{"/p/out": "/data", "/p/in": "a"})
	p := &policy.Policy{
		Filesystem: policy.Filesystem{DenyWrite: rules("/p/a/b/c", "/elsewhere/x", "/p/out/y", "/p/in/b/c"), DenyRead: rules("/p/a/key", "/data/key")},
		OwnDirs:    []string{"/p/own", "/home/own"},
	}
	plan, err := New(p, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	got := missing(plan)
	for _, want := range []string{
		"/p/a/b/c in /p", "/p/a/key in /p", "/p/own in /p", "/p/.srun in /p", "/p/.envrc in /p",
		"/p/.claude/settings.json in /p", "/p/.vscode in /p", "/p/HEAD in /p",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("a path twice: %q", got)
	}
	for _, m := range got {
		if strings.Contains(m, "/.git") || !strings.HasSuffix(m, " in /p") {
			t.Errorf("%q is kept from being made", m)
		}
	}
}

// A repository that is there does not get what git would trust, a new one does.
func TestNewMissingInRepository(t *testing.T) {
	plan, err := New(&policy.Policy{}, "/p", fakeHost([]string{"/", "/p", "/p/.git"}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"commondir", "config", "config.worktree", "hooks", "info/attributes"} {
		if want := "/p/.git/" + name + " in /p"; !slices.Contains(missing(plan), want) {
			t.Errorf("no %q", want)
		}
	}
}

// Nobody moves a directory aside that leads to what is missing; a file in the
// place of one stays the command's.
func TestNewPinsTheWay(t *testing.T) {
	host := fakeHost([]string{"/", "/p", "/p/a", "/p/a/b", "/p/a/b/c", "/p/d", "/elsewhere"}, []string{"/p/d/file"}, nil)
	fs := policy.Filesystem{DenyWrite: rules("/p/a/b/x/y", "/p/d/file/x", "/elsewhere/x")}
	plan, err := New(&policy.Policy{Filesystem: fs}, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	var pins []string
	for _, op := range plan.Mounts {
		if op.Kind == OpPin {
			pins = append(pins, op.Path)
		}
	}
	if d := cmp.Diff([]string{"/p/a", "/p/a/b", "/p/d"}, pins); d != "" {
		t.Error(d)
	}
}

func TestNewLinks(t *testing.T) {
	host := fakeHost(
		[]string{"/", "/h", "/h/.config", "/p", "/p/conf", "/p/rc", "/data"}, []string{"/p/rc/bashrc", "/data/f"},
		map[string]string{
			"/p/.srun": "conf", "/p/.vscode": "nowhere", "/p/.idea": ".idea", "/p/out": "/data", "/p/over": "/out", "/out": "p/conf",
			"/h/.bashrc": "../p/rc/bashrc", "/h/.config/fish": "/p/rc/fish", "/h/.profile": "/data/f",
		},
	)
	for _, c := range []struct {
		name    string
		fs      policy.Filesystem
		want    []string
		missing string
	}{
		{"srun's own settings", policy.Filesystem{}, []string{"bind read-only /p/conf", "hold the link /p/.srun"}, ""},
		{"a dangling link", policy.Filesystem{}, []string{"hold the link /p/.vscode"}, "/p/nowhere in /p"},
		{"a circle", policy.Filesystem{}, []string{"hold the link /p/.idea"}, ""},
		{"a dotfile that is kept here", policy.Filesystem{}, []string{"pin /p/rc", "bind read-only /p/rc/bashrc"}, "/p/rc/fish in /p"},
		{"a denied link to elsewhere", policy.Filesystem{DenyRead: rules("/p/out/f")}, []string{"cover /data/f", "hold the link /p/out"}, ""},
		{"links that lie elsewhere", policy.Filesystem{DenyWrite: rules("/p/over")}, []string{"hold the link /p/over"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := New(&policy.Policy{Filesystem: c.fs, Home: "/h"}, "/p", host)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(printOps(plan.Mounts), "\n")
			for _, want := range c.want {
				if !slices.Contains(lines, want) {
					t.Errorf("no %q in:\n%s", want, strings.Join(lines, "\n"))
				}
			}
			for _, none := range []string{"hold the link /out", "hold the link /h/.bashrc"} {
				if slices.Contains(lines, none) {
					t.Errorf("%q, which the command cannot change", none)
				}
			}
			if c.missing != "" && !slices.Contains(missing(plan), c.missing) {
				t.Errorf("no %q in %q", c.missing, missing(plan))
			}
		})
	}
}

func TestNewLandlock(t *testing.T) {
	host := fakeHost([]string{"/", "/p"}, []string{"/f"}, nil)
	plan, err := New(&policy.Policy{Filesystem: policy.Filesystem{AllowWrite: rules("/f"), DenyWrite: rules("/p")}}, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range plan.Landlock {
		if !r.Inside {
			got[r.Path] = r.Rights.String()
		}
	}
	want := map[string]string{"/f": (writeRights & FileRights).String()}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNewRefuses(t *testing.T) {
	host := fakeHost([]string{"/", "/p", "/dev", "/dev/x", "/p/a\nb"}, nil, nil)
	for _, c := range []struct {
		name string
		fs   policy.Filesystem
		dir  string
		host Host
		want string
	}{
		{"a writable /dev", policy.Filesystem{AllowWrite: rules("/dev/x")}, "/p", host, "/dev/x"},
		{"a directory in /dev", policy.Filesystem{}, "/dev/x", host, "/dev/x"},
		{"no Landlock", policy.Filesystem{}, "/p", Host{Files: host.Files}, "landlock"},
		{"an allow through a link that a command may have made", policy.Filesystem{AllowWrite: rules("/p/out")}, "/p", fakeHost([]string{"/", "/p", "/data"}, nil, map[string]string{"/p/out": "/data"}), "name /data instead"},
		{"the same for reading", policy.Filesystem{AllowRead: rules("/p/out"), DenyRead: rules("/data")}, "/p", fakeHost([]string{"/", "/p", "/data"}, nil, map[string]string{"/p/out": "/data"}), "name /data instead"},
		{"a path that cannot be inspected", policy.Filesystem{DenyWrite: rules("/p/x")}, "/p", fakeHostOf(func(path string) (Place, error) {
			if filepath.Base(path) == "x" {
				return Place{}, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrPermission}
			}
			return Place{Path: path, Dir: true}, nil
		}), "/p/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(&policy.Policy{Filesystem: c.fs}, c.dir, c.host)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// A default that srun may not even look at does not end the run, where the
// command has no more rights than srun; a rule of the user's does.
func TestNewOutOfReach(t *testing.T) {
	tree := fakeHost([]string{"/", "/p", "/root"}, nil, nil)
	host := fakeHostOf(func(path string) (Place, error) {
		if strings.HasPrefix(path, "/root/") || strings.HasPrefix(path, "/p/closed/") {
			return Place{}, fs.ErrPermission
		}
		return tree.Find(path)
	})
	for path, ok := range map[string]bool{"/root/.ssh": true, "/p/closed/x": false} {
		rule := policy.PathRule{Path: path, Source: policy.Source{Tier: policy.TierDefault}}
		if _, err := New(&policy.Policy{Filesystem: policy.Filesystem{DenyRead: []policy.PathRule{rule}}}, "/p", host); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := New(&policy.Policy{Filesystem: policy.Filesystem{DenyRead: rules("/root/.ssh")}}, "/p", host); err == nil {
		t.Error("a rule of the user's was left out")
	}
}

// A command in / may write nothing there unless a flag says so.
func TestNewRoot(t *testing.T) {
	host := fakeHost([]string{"/", "/etc"}, nil, nil)
	own := policy.PathRule{Path: "/", Source: policy.Source{Tier: policy.TierDefault}}
	plan, err := New(&policy.Policy{Filesystem: policy.Filesystem{AllowWrite: []policy.PathRule{own}}}, "/", host)
	if err != nil {
		t.Fatal(err)
	}
	if ops := printOps(plan.Mounts); !strings.HasPrefix(ops, "make read-only /\n") {
		t.Errorf("plan:\n%s", ops)
	}
}
