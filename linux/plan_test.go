//go:build linux

package linux

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"srun/policy"
)

// fakeHost has the given directories and files, and links from one path to
// another.
func fakeHost(dirs, files []string, links map[string]string) Host {
	return Host{
		LandlockABI: 7,
		Name:        "box",
		Resolve: func(path string) (string, bool, error) {
			for from, to := range links {
				if contains(from, path) {
					path = to + path[len(from):]
				}
			}
			switch {
			case slices.Contains(dirs, path):
				return path, true, nil
			case slices.Contains(files, path):
				return path, false, nil
			}
			return "", false, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
		},
	}
}

func rules(paths ...string) []policy.PathRule {
	var list []policy.PathRule
	for _, p := range paths {
		list = append(list, policy.PathRule{Path: p, Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}})
	}
	return list
}

func TestNewPlanMounts(t *testing.T) {
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
			plan, err := NewPlan(&policy.Policy{Filesystem: c.fs}, "/p", host)
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

func TestNewPlanMissing(t *testing.T) {
	host := fakeHost([]string{"/", "/p", "/p/a", "/data"}, nil, map[string]string{"/p/out": "/data"})
	p := &policy.Policy{
		Filesystem: policy.Filesystem{DenyWrite: rules("/p/a/b/c", "/elsewhere/x", "/p/out/y")},
		OwnDirs:    []string{"/p/own", "/home/own"},
	}
	plan, err := NewPlan(p, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range plan.Missing {
		got = append(got, m.Path+" in "+m.Root)
	}
	want := []string{"/p/a/b/c in /p", "/p/own in /p", "/p/.srun in /p"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNewPlanLandlock(t *testing.T) {
	host := fakeHost([]string{"/", "/p"}, []string{"/f"}, nil)
	plan, err := NewPlan(&policy.Policy{Filesystem: policy.Filesystem{AllowWrite: rules("/f"), DenyWrite: rules("/p")}}, "/p", host)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range plan.Landlock {
		if !r.Inside {
			got[r.Path] = r.Rights.String()
		}
	}
	want := map[string]string{"/f": (writeRights & fileRights).String()}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNewPlanRefuses(t *testing.T) {
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
		{"a newline", policy.Filesystem{DenyRead: rules("/p/a\nb")}, "/p", host, "newline"},
		{"no Landlock", policy.Filesystem{}, "/p", Host{Resolve: host.Resolve}, "landlock"},
		{"a path that cannot be inspected", policy.Filesystem{DenyWrite: rules("/p/x")}, "/p", Host{LandlockABI: 7, Resolve: func(path string) (string, bool, error) {
			if filepath.Base(path) == "x" {
				return "", false, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrPermission}
			}
			return path, true, nil
		}}, "/p/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewPlan(&policy.Policy{Filesystem: c.fs}, c.dir, c.host)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// A command in / may write nothing there unless a flag says so.
func TestNewPlanRoot(t *testing.T) {
	host := fakeHost([]string{"/", "/etc"}, nil, nil)
	own := policy.PathRule{Path: "/", Source: policy.Source{Tier: policy.TierDefault}}
	plan, err := NewPlan(&policy.Policy{Filesystem: policy.Filesystem{AllowWrite: []policy.PathRule{own}}}, "/", host)
	if err != nil {
		t.Fatal(err)
	}
	if ops := printOps(plan.Mounts); !strings.HasPrefix(ops, "make read-only /\n") {
		t.Errorf("plan:\n%s", ops)
	}
}
