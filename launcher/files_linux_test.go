package launcher

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"srun/linux"
	"srun/policy"
)

// Several commands at once, each with denials of its own. Refused writes are told
// with and without a trace, reads with one alone.
func TestTrace(t *testing.T) {
	for _, traced := range []bool{true, false, true, true} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			p := load(t, nil)
			outside := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(outside, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			hidden := filepath.Join(t.TempDir(), "hidden")
			if err := os.WriteFile(hidden, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			p.Filesystem.DenyRead = append(p.Filesystem.DenyRead, policy.PathRule{Path: hidden})
			cmd := Command(p, "sh", "-c", "for i in 1 2 3; do (echo x >file; echo x >"+outside+"); done; cat "+hidden+"; exit 7")
			cmd.Trace = traced
			cmd.Denied = func(d Denial) { got = append(got, d.Line()) }
			if err := cmd.Run(); err == nil || err.Error() != "exit status 7" {
				t.Errorf("%v; want status 7", err)
			}
			line := "denied write " + outside + " (not in allowWrite); to allow: --allow-write " + outside
			want := []string{line, line, line}
			if traced {
				want = append(want, "denied read "+hidden+" (denyRead)")
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestFileReasons(t *testing.T) {
	flag := policy.Source{Tier: policy.TierFlag, Flag: "--deny-read"}
	p := &policy.Policy{Home: "/home/u", Filesystem: policy.Filesystem{
		AllowWrite: []policy.PathRule{{Path: "/work"}},
		DenyWrite:  []policy.PathRule{{Path: "/work/kept", Source: policy.Source{Tier: policy.TierUser, File: "/s.json", Line: 4}}},
		DenyRead: []policy.PathRule{
			{Path: "/work/secret", Source: flag},
			{Path: "/home/u/.ssh", Source: policy.Source{Tier: policy.TierDefault}},
		},
	}}
	file := func(operation, path, grant string) linux.FileDenial {
		return linux.FileDenial{Operation: operation, Path: path, Ruled: path, Grant: grant}
	}
	hidden := func(f linux.FileDenial) linux.FileDenial { f.Hidden = true; return f }
	fixed := func(f linux.FileDenial) linux.FileDenial { f.Fixed = true; return f }
	for _, r := range []struct {
		denial        linux.FileDenial
		reason, allow string
	}{
		{file("write", "/etc/x", "/etc/x"), "not in allowWrite", "--allow-write /etc/x"},
		{file("write", "/home/u/a/b", "/home/u/a"), "not in allowWrite", "--allow-write ~/a"},
		{file("write", "/new", "/"), "not in allowWrite", ""},
		{fixed(file("write", "/work/kept/x", "/work/kept/x")), "denyWrite", ""},
		{fixed(file("write", "/home/u/.bashrc", "/home/u/.bashrc")), "protected path", ""},
		{fixed(file("write", "/work/.vscode/tasks.json", "")), "protected path", "--open-protected /work/.vscode/tasks.json"},
		{fixed(file("write", "/work/.srun/settings.json", "")), "protected path", ""},
		{fixed(file("write", "/work/kept/.vscode", "")), "protected path", ""},
		{fixed(file("write", "/elsewhere/.vscode", "")), "protected path", ""},
		{fixed(file("write", "/work/found/by/git", "/work/found/by/git")), "protected path", ""},
		{fixed(file("write", "/elsewhere/by/link", "/elsewhere/by/link")), "protected path", ""},
		{hidden(file("read", "/home/u/.ssh/id", "/home/u/.ssh/id")), "credentials, default deny list", "--allow-read ~/.ssh/id"},
		{hidden(file("read", "/home/u/.ssh", "/home/u/.ssh")), "credentials, default deny list", "--allow-read ~/.ssh"},
		{hidden(file("exec", "/work/secret/x", "/work/secret/x")), "denyRead", "--allow-read /work/secret/x"},
		{hidden(file("read", "/work/secret", "/work/secret")), "denyRead", ""},
		{hidden(file("write", "/work/secret/x", "/work/secret/x")), "denyRead", "--allow-read /work/secret/x"},
		{hidden(file("read", "/hidden/by/link", "/hidden/by/link")), "denyRead", ""},
	} {
		v := fileVerdict(p, r.denial)
		if allow := fileGrant(p, r.denial); v.Reason != r.reason || allow != r.allow {
			t.Errorf("%s of %s: %q, allow %q; want %q, %q", r.denial.Operation, r.denial.Path, v.Reason, allow, r.reason, r.allow)
		}
	}
}
