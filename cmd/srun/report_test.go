package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"srun/launcher"
	"srun/policy"
)

func TestReportIsBounded(t *testing.T) {
	var out strings.Builder
	r := &reporter{print: &printer{out: &out}, quiet: true, kind: "summary", now: time.Now}
	for i := range mostLines + 7 {
		r.denied(launcher.Denial{Operation: "network", Target: fmt.Sprint("h", i), Reason: "x"}, false)
		r.denied(launcher.Denial{Operation: "network", Target: "h0", Reason: "x"}, false)
	}
	r.finish(ending{})
	if len(r.seen) != mostLines || len(r.order) != mostLines {
		t.Errorf("%d and %d lines kept; want %d", len(r.seen), len(r.order), mostLines)
	}
	if got := out.String(); !strings.HasSuffix(got, "\nsrun: ... and 7 more\n") || !strings.Contains(got, "h0 (x) (10008 times)") {
		t.Errorf("summary ends %q", got[max(0, len(got)-200):])
	}
}

func TestDenialsAreToldAgain(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	r := &reporter{print: &printer{out: &out}, kind: "summary", now: func() time.Time { return now }}
	for range 25 {
		r.denied(launcher.Denial{Operation: "network", Target: "h", Reason: "x"}, false)
		now = now.Add(time.Second)
	}
	want := "srun: denied network h (x)\nsrun: denied network h (x) (11 times)\nsrun: denied network h (x) (21 times)\n"
	if r.finish(ending{}); out.String() != want {
		t.Errorf("told %q; want %q", out.String(), want)
	}
}

func TestOwnFile(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("file"), []byte("old"), 0o600), os.Symlink("file", path("link")), os.Symlink("none", path("dangling")),
		syscall.Mkfifo(path("pipe"), 0o600), os.Symlink(".", path("dir")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"link": "symbolic link", "dangling": "symbolic link", "pipe": "not a regular file", "/proc/self/cwd/" + relativeTo(t, path("link")): "symbolic link",
		"no/file": "no such file",
	} {
		if !filepath.IsAbs(name) {
			name = path(name)
		}
		pol := &policy.Policy{}
		f, err := openOwn(pol, "--report-file", name, os.O_TRUNC)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "--report-file: ") || !strings.Contains(err.Error(), want) || len(pol.Filesystem.DenyWrite) != 0 {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
	if b, _ := os.ReadFile(path("file")); string(b) != "old" {
		t.Errorf("the file became %q", b)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for name, denied := range map[string]string{
		path("file"): path("file"), path("new"): path("new"), path("dir/file"): path("file"),
		"/dev/null": "", fmt.Sprint("/dev/fd/", w.Fd()): "",
	} {
		pol := &policy.Policy{}
		f, err := openOwn(pol, "--audit-log", name, os.O_APPEND)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f.Close()
		var got string
		if list := pol.Filesystem.DenyWrite; len(list) > 0 {
			got = list[0].Path
		}
		if got != denied {
			t.Errorf("%s: denied %q; want %q", name, got, denied)
		}
	}
}

func relativeTo(t *testing.T, path string) string {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

func TestOthersKeys(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/.ssh", "b", "c/.ssh"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Join(othersKeys(dir), " ")
	if want := filepath.Join(dir, "a/.ssh") + " " + filepath.Join(dir, "c/.ssh"); got != want {
		t.Errorf("othersKeys = %q; want %q", got, want)
	}
	if got := othersKeys(filepath.Join(dir, "none")); got != nil {
		t.Errorf("othersKeys without a directory = %q", got)
	}
}
