//go:build linux

package trace

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"srun/linux/filter"
	"srun/linux/plan"
	"srun/policy"
	"srun/policy/gitfiles"
)

func TestEveryTracedCallHasItsPaths(t *testing.T) {
	for _, name := range filter.Traced {
		if len(roles(name)) == 0 {
			t.Errorf("%s: no paths", name)
		}
	}
	if len(tracedRoles) != len(filter.Traced) {
		t.Errorf("%d calls with paths; %d are traced", len(tracedRoles), len(filter.Traced))
	}
}

// testJudge judges a tree with a writable root that holds a hidden directory,
// with one file of it visible, a protected file, and a held link.
func testJudge(t *testing.T) *Judge {
	t.Helper()
	rules := func(source policy.Source, paths ...string) (list []policy.PathRule) {
		for _, p := range paths {
			list = append(list, policy.PathRule{Path: p, Source: source})
		}
		return list
	}
	flag := policy.Source{Tier: policy.TierFlag, Flag: "--test"}
	p, err := plan.New(&policy.Policy{Filesystem: policy.Filesystem{
		AllowWrite: rules(flag, "/etc/one"),
		AllowRead:  rules(flag, "/work/secret/shown"),
		DenyWrite:  rules(flag, "/work/.git/config", "/work/link"),
		DenyRead:   append(rules(flag, "/work/secret"), rules(policy.Source{Tier: policy.TierDefault}, "/home/.ssh")...),
	}}, "/work", plan.Host{LandlockABI: 7, Files: traceFiles{}})
	if err != nil {
		t.Fatal(err)
	}
	return &Judge{p}
}

// traceFiles have what the test's rules name.
type traceFiles struct{}

func (traceFiles) OfRoot(string) bool { return false }

func (traceFiles) Find(path string) (plan.Place, error) {
	switch path {
	case "/", "/work", "/work/.git", "/work/secret", "/etc", "/home", "/home/.ssh":
		return plan.Place{Path: path, Dir: true}, nil
	case "/work/.git/config", "/work/secret/shown", "/etc/one", "/elsewhere":
		return plan.Place{Path: path}, nil
	case "/work/link":
		return plan.Place{Path: "/elsewhere", Links: []string{"/work/link"}}, nil
	}
	return plan.Place{Path: path, Missing: true}, nil
}

func (traceFiles) ID(string) (plan.FileID, error) { return plan.FileID{}, fs.ErrNotExist }
func (traceFiles) Mounts() ([]byte, error)        { return nil, nil }
func (traceFiles) Kind(string) gitfiles.Kind      { return gitfiles.Missing }
func (traceFiles) ReadFile(string) []byte         { return nil }
func (traceFiles) ReadDir(string) []string        { return nil }
func (traceFiles) Same(a, b string) bool          { return a == b }

func TestRefused(t *testing.T) {
	j := testJudge(t)
	for _, r := range []struct {
		kind   actKind
		path   string
		errno  unix.Errno
		want   bool
		grant  string
		reason string
	}{
		{writeAct, "/etc/passwd", unix.EROFS, true, "/etc/passwd", ""},
		{writeAct, "/etc/passwd", unix.EACCES, true, "/etc/passwd", ""},
		{makeAct, "/etc/new", unix.EROFS, true, "/etc", ""},
		{readAct, "/etc/shadow", unix.EACCES, false, "", ""},
		{writeAct, "/work/file", unix.EACCES, false, "", ""},
		{writeAct, "/work/.git/config", unix.EROFS, true, "/work/.git/config", ""},
		{replaceAct, "/work/.git/config", unix.EBUSY, true, "/work/.git", ""},
		{removeAct, "/work/.git", unix.EBUSY, true, "/work/.git", "holds a protected path"},
		{removeAct, "/work/link", unix.EBUSY, true, "/work/link", "leads to a protected path"},
		{removeAct, "/work/link", unix.EACCES, false, "", ""},
		{removeAct, "/work/mount", unix.EBUSY, false, "", ""},
		{removeAct, "/etc/one", unix.EROFS, true, "/etc", ""},
		{chmodAct, "/etc/one", unix.EPERM, false, "", ""},
		{readAct, "/home/.ssh/id", unix.EACCES, true, "/home/.ssh/id", ""},
		{lookAct, "/home/.ssh/id", unix.EACCES, true, "/home/.ssh/id", ""},
		{execAct, "/work/secret/tool", unix.EACCES, true, "/work/secret/tool", ""},
		{readAct, "/work/secret/tool", unix.ENOENT, true, "/work/secret/tool", ""},
		{readAct, "/work/secret/shown", unix.EACCES, false, "", ""},
		{readAct, "/work/gone", unix.ENOENT, false, "", ""},
		{makeAct, "/dev/tmp/x", unix.EACCES, false, "", ""},
		{makeAct, "/dev/new", unix.EROFS, true, "", "the sandbox has a /dev of its own"},
		{readAct, "/dev/kvm", unix.ENOENT, true, "", "the sandbox has a /dev of its own"},
		{readAct, "/proc/1/environ", unix.EACCES, false, "", ""},
		{writeAct, "/proc/sys/kernel/x", unix.EROFS, true, "", "the sandbox has a /proc of its own"},
	} {
		d, ok := j.act(act{kind: r.kind}, plan.Place{Path: r.path}, r.errno)
		if ok != r.want || ok && (d.Grant != r.grant || d.Reason != r.reason) {
			t.Errorf("%v of %s, %v: %v, allow %q, because %q; want %v, %q, %q",
				r.kind.operation(), r.path, r.errno, ok, d.Grant, d.Reason, r.want, r.grant, r.reason)
		}
	}
}

// What fails without a sandbox as well is nobody's denial.
func TestFailsAnyway(t *testing.T) {
	dir := t.TempDir()
	full, empty, file := filepath.Join(dir, "full"), filepath.Join(dir, "empty"), filepath.Join(dir, "file")
	for _, err := range []error{os.MkdirAll(full+"/sub", 0o755), os.Mkdir(empty, 0o755), os.WriteFile(file, nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct {
		name  string
		paths []string
		flags uint64 // in the argument where the call has them
		want  bool
	}{
		{"unlink", []string{file}, 0, false},
		{"unlink", []string{empty}, 0, true},
		{"unlink", []string{dir + "/none"}, 0, true},
		{"unlinkat", []string{empty}, unix.AT_REMOVEDIR, false},
		{"unlinkat", []string{full}, unix.AT_REMOVEDIR, true},
		{"unlinkat", []string{file}, unix.AT_REMOVEDIR, true},
		{"rmdir", []string{full}, 0, true},
		{"mkdir", []string{dir + "/new"}, 0, false},
		{"mkdir", []string{dir + "/none/new"}, 0, true},
		{"rename", []string{file, dir + "/new"}, 0, false},
		{"rename", []string{file, empty}, 0, true},
		{"rename", []string{empty, full}, 0, true},
		{"rename", []string{full, full + "/sub/new"}, 0, true},
		{"rename", []string{file, dir + "/."}, 0, true},
		{"rename", []string{file, "/proc/new"}, 0, true},
		{"renameat2", []string{full, empty}, unix.RENAME_NOREPLACE, true},
		{"renameat2", []string{full, empty}, unix.RENAME_EXCHANGE, false},
		{"link", []string{file, dir + "/new"}, 0, false},
		{"link", []string{empty, dir + "/new"}, 0, true},
		{"truncate", []string{empty}, 0, true},
		{"chmod", []string{file}, 0, false},
		{"chmod", []string{"/proc/version"}, 0, os.Geteuid() != 0},
	} {
		var acts []act
		var places []plan.Place
		for i, role := range roles(r.name) {
			a := act{kind: role.kind, pid: os.Getpid(), path: r.paths[i], dir: unix.AT_FDCWD, mode: unix.W_OK}
			p, ok := a.locate()
			if !ok && !r.want {
				t.Errorf("%s%q: not found", r.name, r.paths)
			}
			acts, places = append(acts, a), append(places, p)
		}
		errno := unix.EROFS
		if len(acts) == 2 {
			errno = unix.EXDEV
		}
		call := syscallInfo{args: [6]uint64{2: r.flags, 4: r.flags}}
		if got := failsAnyway(r.name, &call, acts, places, errno); got != r.want {
			t.Errorf("%s%q: %v; want %v", r.name, r.paths, got, r.want)
		}
	}
}
