package launcher

import (
	"strings"
	"testing"

	"srun/policy"
)

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
	file := func(operation, path, grant string) FileDenial {
		return FileDenial{Operation: operation, Path: path, Ruled: path, Grant: grant}
	}
	hidden := func(f FileDenial) FileDenial { f.Hidden = true; return f }
	fixed := func(f FileDenial) FileDenial { f.Fixed = true; return f }
	for _, r := range []struct {
		denial        FileDenial
		reason, allow string
	}{
		{file("write", "/etc/x", "/etc/x"), "not in allowWrite", "allow write /etc/x"},
		{file("write", "/home/u/a/b", "/home/u/a"), "not in allowWrite", "allow write /home/u/a"},
		{file("write", "/new", "/"), "not in allowWrite", ""},
		{fixed(file("write", "/work/kept/x", "/work/kept/x")), "denyWrite", ""},
		{fixed(file("write", "/home/u/.bashrc", "/home/u/.bashrc")), "protected path", ""},
		{fixed(file("write", "/work/.vscode/tasks.json", "")), "protected path", "open protected /work/.vscode/tasks.json"},
		{fixed(file("write", "/work/.srun/settings.json", "")), "protected path", ""},
		{fixed(file("write", "/work/kept/.vscode", "")), "protected path", ""},
		{fixed(file("write", "/elsewhere/.vscode", "")), "protected path", ""},
		{fixed(file("write", "/work/found/by/git", "/work/found/by/git")), "protected path", ""},
		{fixed(file("write", "/elsewhere/by/link", "/elsewhere/by/link")), "protected path", ""},
		{hidden(file("read", "/home/u/.ssh/id", "/home/u/.ssh/id")), "credentials, default deny list", "allow read /home/u/.ssh/id"},
		{hidden(file("read", "/home/u/.ssh", "/home/u/.ssh")), "credentials, default deny list", "allow read /home/u/.ssh"},
		{hidden(file("exec", "/work/secret/x", "/work/secret/x")), "denyRead", "allow read /work/secret/x"},
		{hidden(file("read", "/work/secret", "/work/secret")), "denyRead", ""},
		{hidden(file("write", "/work/secret/x", "/work/secret/x")), "denyRead", "allow read /work/secret/x"},
		{hidden(file("read", "/hidden/by/link", "/hidden/by/link")), "denyRead", ""},
	} {
		v := fileVerdict(p, r.denial)
		if allow := grantWords(fileGrants(p, r.denial)); v.Reason != r.reason || allow != r.allow {
			t.Errorf("%s of %s: %q, allow %q; want %q, %q", r.denial.Operation, r.denial.Path, v.Reason, allow, r.reason, r.allow)
		}
	}
}

func grantWords(grants []policy.Grant) string {
	var words []string
	for _, g := range grants {
		words = append(words, g.String())
	}
	return strings.Join(words, ", ")
}
