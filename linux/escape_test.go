//go:build linux

package linux

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"srun/linux/box"
	"srun/linux/plan"
	"srun/policy"
)

// What no script can show, for it has to come between the plan and its
// application, or lies behind another layer.

// sandbox runs a shell line as a plan has it, and returns what it prints.
func sandbox(t *testing.T, plan *plan.Plan, line string) (string, error) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p, err := Start(Config{Config: box.Config{
		Plan: plan, Args: []string{"sh", "-c", line}, Env: []string{"PATH=/usr/bin:/bin"},
		Stdio: [3]*os.File{null, write, null},
	}})
	write.Close()
	if err != nil {
		return "", err
	}
	out, _ := io.ReadAll(read)
	for range p.Events {
	}
	_, err = p.Wait()
	p.Listeners.Close()
	return string(out), err
}

func thisHost(t testing.TB) plan.Host {
	t.Helper()
	host, err := ThisHost(nil)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// files makes directories and files, with their names in them, and returns where.
func files(t *testing.T, names ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// A directory on the way to what a plan mounts on becomes a link before init
// gets there. Were it followed, another's file would be held, and the denied one
// be open once the link is gone again.
func TestEscapeLinkOnTheWay(t *testing.T) {
	for name, add := range map[string]func(*policy.Filesystem, string){
		"bind_ro": func(f *policy.Filesystem, p string) { f.DenyWrite = pathRules(p + "/way/file") },
		"hide":    func(f *policy.Filesystem, p string) { f.DenyRead = pathRules(p + "/way/file") },
		"pin":     func(f *policy.Filesystem, p string) { f.DenyWrite = pathRules(p + "/way/not-there") },
		"copy":    func(f *policy.Filesystem, p string) { f.AllowWrite = pathRules(p + "/way/dir") },
	} {
		t.Run(name, func(t *testing.T) {
			root := files(t, "p/way/file", "p/way/dir/file", "victim/file", "victim/dir/file")
			pol := &policy.Policy{}
			add(&pol.Filesystem, root+"/p")
			plan, err := plan.New(pol, root+"/p", thisHost(t))
			if err != nil {
				t.Fatal(err)
			}
			if out, err := sandbox(t, plan, "echo ran"); err != nil || out != "ran\n" {
				t.Fatalf("as planned: %q, %v", out, err)
			}
			if err := errors.Join(os.Rename(root+"/p/way", root+"/p/aside"), os.Symlink("../victim", root+"/p/way")); err != nil {
				t.Fatal(err)
			}
			if out, err := sandbox(t, plan, "echo ran"); !errors.Is(err, unix.ELOOP) {
				t.Errorf("with a link in the place of a directory: %q, %v; want ELOOP", out, err)
			}
		})
	}
}

// Another directory gets the working directory's name before init gets there:
// neither Landlock nor a mount opens that one.
func TestEscapeOtherDirectory(t *testing.T) {
	for _, abi := range []int{box.LandlockABI(), 0} {
		root := files(t, "p/file", "victim/file")
		dir, err := os.Open(root + "/p")
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		host, err := ThisHost(dir)
		if err != nil {
			t.Fatal(err)
		}
		host.LandlockABI = abi
		plan, err := plan.New(&policy.Policy{Weaker: []policy.Weaker{{Name: "landlock"}}}, root+"/p", host)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := sandbox(t, plan, "echo x >file && echo wrote"); err != nil || out != "wrote\n" {
			t.Fatalf("as planned: %q, %v", out, err)
		}
		if err := errors.Join(os.Rename(root+"/p", root+"/aside"), os.Rename(root+"/victim", root+"/p")); err != nil {
			t.Fatal(err)
		}
		if out, err := sandbox(t, plan, "echo x >file && echo wrote"); !errors.Is(err, unix.ESTALE) {
			t.Errorf("Landlock ABI %d: %q, %v; want ESTALE", abi, out, err)
		}
	}
}

// lookAt prints what can be read of a process that has the caller's secrets.
const lookAt = `for f in environ mem auxv; do head -c 1 /proc/$pid/$f >/dev/null && echo read $f; done
readlink /proc/$pid/exe /proc/$pid/cwd >/dev/null && echo followed; echo done`

// Landlock lets no command trace what is outside of its domain. Where the kernel
// has none, init is held by not being dumpable alone.
func TestEscapeInitIsNotDumpable(t *testing.T) {
	out, err := exec.Command("sh", "-c", `sh -c 'pid=$PPID; `+lookAt+`'; true`).Output()
	if err != nil || !strings.Contains(string(out), "read environ\n") || !strings.Contains(string(out), "followed\n") {
		t.Fatalf("of a parent without srun: %q, %v", out, err)
	}
	dir := files(t)
	host := thisHost(t)
	host.LandlockABI = 0
	plan, err := plan.New(&policy.Policy{Weaker: []policy.Weaker{{Name: "landlock"}}}, dir, host)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := sandbox(t, plan, "pid=1; "+lookAt); err != nil || out != "done\n" {
		t.Errorf("of init: %q, %v", out, err)
	}
}

func pathRules(paths ...string) []policy.PathRule {
	var list []policy.PathRule
	for _, p := range paths {
		list = append(list, policy.PathRule{Path: p, Source: policy.Source{Tier: policy.TierFlag, Flag: "--test"}})
	}
	return list
}
