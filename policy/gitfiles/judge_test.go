package gitfiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	o := JudgeOptions{
		AllowedHost: func(host string, port int) bool { return host == "git.test" && port == 443 },
		Worktree:    func(value string) bool { return value == "../../../sm" },
	}
	const promisor = "\tpromisor = true\n\tpartialclonefilter = blob:none\n"
	for _, c := range []struct{ data, why string }{
		{"[core]\n\tbare = false\n", ""},
		{"[branch \"a\\\"b\"]\n\tremote = .\n\tdescription = \"x # y\\n\"\n", ""},
		{"[remote \"o\"]\n\turl = https://evil.test/r.git\n", ""},
		{"[remote \"o\"]\n\turl = https://git.test/r.git\n" + promisor, ""},
		{"[remote \"o\"]\n\turl = https://evil.test/r.git\n" + promisor, "not allowed"},
		{"[remote \"o\"]\n\turl = git@git.test:r.git\n" + promisor, "not allowed"},
		{"[remote \"o\"]\n\turl = ext::sh -c evil\n", "remote.o.url"},
		{"[core]\n\tfsmonitor = evil\n", "core.fsmonitor"},
		{"[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n", "filter.lfs.clean"},
		{"[include]\n\tpath = x\n", "include.path"},
		{"[core]\n\tworktree = /home/u\n", "core.worktree"},
		{"[core]\n\tworktree = ../..\n", "core.worktree"},
		{"[core]\n\tworktree = ../../../sm\n", ""},
		{"[branch \"m\"]\n\tremote = https://evil.test/\n", "branch.m.remote"},
		{"[remote \"o\"]\n\turl = https://evil.test/r.git\n[branch \"m\"]\n\tremote = o\n", ""},
		{"[remote \"https://evil.test/r\"]\n\tpromisor = true\n", "names no remote"},
		{"[extensions]\n\tpartialclone = https://evil.test/r\n", "names no remote"},
		{"[remote \"--upload-pack=evil\"]\n\turl = ./x\n", "reads as an option"},
		{"[remote \"o\"]\n\turl = ./x\n\tfetch = --upload-pack=evil\n", "reads as an option"},
		{"[remote \"o\"]\n\turl = ./x\n\ttagopt = --no-tags\n", ""},
		{"[remote \"o\"]\n\turl = ./x\n\ttagopt = --exec=x\n", "reads as an option"},
		{"[user]\n\tsigningkey = --output=x\n\tname = -x\n", "user.signingkey"},
		{"[core]\n\tcompression = -1\n[branch \"m\"]\n\tdescription = - x\n", ""},
		{"[submodule]\n\trecurse = true\n", "submodule.recurse"},
		{"[submodule]\n\trecurse\n", "submodule.recurse"},
		{"[fetch]\n\trecurseSubmodules = yes\n", "fetch.recursesubmodules"},
		{"[push]\n\trecurseSubmodules = on-demand\n", "push.recursesubmodules"},
		{"[submodule \"s\"]\n\tfetchRecurseSubmodules = 1\n", "submodule.s.fetchrecursesubmodules"},
		{"[submodule]\n\trecurse = false\n[fetch]\n\trecurseSubmodules = on-demand\n[push]\n\trecurseSubmodules = check\n", ""},
		{"[core]\n\tbare = false \\\n[alias]\n", "line 2"},
		{"[core] fsmonitor = x\n", "line 1"},
		{"[core]\r\n\tbare = false\r\n", "line 1"},
	} {
		why := Judge([]byte(c.data), o)
		if (c.why == "") != (why == "") || !strings.Contains(why, c.why) {
			t.Errorf("Judge(%q) = %q, want %q", c.data, why, c.why)
		}
	}
}

func TestJudgeChange(t *testing.T) {
	o := JudgeOptions{AllowedHost: func(host string, _ int) bool { return host == "git.test" }}
	const remote = "[remote \"o\"]\n\turl = https://a.test/\n"
	const before = "[core]\n\tbare = false\n\tfsmonitor = own\n[user]\n\tname = u\n[branch \"m\"]\n\tremote = o\n\tmerge = refs/heads/m\n" + remote
	change := func(old, with string) string { return strings.Replace(before, old, with, 1) }
	for _, c := range []struct{ after, why string }{
		{before, ""},
		{before + "[user]\n\temail = u\n", ""},
		{change("name = u", "name = other"), ""},
		{change("\tmerge = refs/heads/m\n", ""), ""},
		{change("[branch \"m\"]\n\tremote = o\n\tmerge = refs/heads/m\n", ""), ""},
		{before + "[branch \"n\"]\n\tremote = o\n", ""},
		{before + "[remote \"n\"]\n\turl = https://git.test/\n", ""},
		{before + "[remote \"n\"]\n\turl = ../elsewhere\n", ""},
		{before + "\tfetch = +refs/heads/*:refs/remotes/o/*\n", ""},
		{before + "\tfetch = +refs/heads/*:refs/heads/*\n", "changes a remote"},
		{before + "[submodule \"s\"]\n\turl = https://git.test/s\n\tactive = true\n", ""},
		{before + "[alias]\n\tx = !evil\n", "alias.x"},
		{change("a.test", "b.test"), "remote.o.url was there"},
		{change(remote, ""), "remote.o.url was there"},
		{change("fsmonitor = own", "fsmonitor = evil"), "core.fsmonitor"},
		{change("\tfsmonitor = own\n", ""), "core.fsmonitor"},
		{before + "\tpushurl = https://git.test/\n", "changes a remote"},
		{before + "[remote \"o\"]\n\tpush = +refs/*:refs/*\n", "changes a remote"},
		{before + "[remote \"n\"]\n\turl = https://evil.test/\n", "not allowed"},
		{before + "[submodule \"s\"]\n\turl = https://evil.test/s\n", "not allowed"},
		{before + "[branch \"m\"]\n\tpushremote = https://evil.test/\n", "elsewhere"},
		{before + "[remote \"n\"]\n\turl = https://git.test/\n[branch \"m\"]\n\tpushremote = n\n", "elsewhere"},
		{before + "[branch \"n\"]\n\tremote = https://evil.test/\n", "names no remote"},
		{before + "[core]\n\tworktree = ..\n", "core.worktree"},
	} {
		why := JudgeChange([]byte(before), []byte(c.after), o)
		if (c.why == "") != (why == "") || !strings.Contains(why, c.why) {
			t.Errorf("JudgeChange to %q = %q, want %q", c.after, why, c.why)
		}
	}
}

func TestJudgeOneWorktree(t *testing.T) {
	for data, want := range map[string]string{
		"[core]\n\tsparseCheckout = true\n[index]\n\tsparse = true\n": "",
		"[remote \"o\"]\n\tpushurl = ../x\n":                          "remote.o.pushurl",
		"[branch \"m\"]\n\tremote = .\n":                              "branch.m.remote",
	} {
		if why := Judge([]byte(data), JudgeOptions{OneWorktree: true}); (want == "") != (why == "") || !strings.Contains(why, want) {
			t.Errorf("%q: %q, want %q", data, why, want)
		}
	}
}

func TestJudgeAgain(t *testing.T) {
	gone := Remotes([]byte("[remote \"o\"]\n\turl = a\n[branch \"m\"]\n\tremote = o\n"))
	for data, want := range map[string]string{
		"[core]\n\tbare = false\n": "",
		"[remote \"o\"]\n\turl = a\n\tfetch = +refs/heads/*:refs/remotes/o/*\n": "",
		"[remote \"n\"]\n\turl = b\n":                                           "",
		"[remote \"o\"]\n\turl = b\n":                                           "changes a remote",
		"[remote \"o\"]\n\turl = a\n\turl = b\n":                                "changes a remote",
		"[branch \"m\"]\n\tremote = n\n":                                        "elsewhere",
		"[remote \"o\"]\n\turl = a\n\tpush = +refs/*:refs/*":                    "changes a remote",
	} {
		if why := JudgeAgain(gone, []byte(data)); (want == "") != (why == "") || !strings.Contains(why, want) {
			t.Errorf("%q: %q, want %q", data, why, want)
		}
	}
}

// Of what Judge calls harmless, git finds nothing else.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{"[core]\n\tbare = false\n", "[a \"b\\\"\"]\nx=y", "[core]\nbare\n", "[user]\n\tname = \"a # b\"\n", "[color]\n\tui = a\\tb\n"} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "config")
	f.Fuzz(func(t *testing.T, data []byte) {
		if Judge(data, JudgeOptions{}) != "" {
			return
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("git", "config", "--file", path, "--no-includes", "--list", "-z").Output()
		if err != nil {
			return // git runs nothing of it
		}
		for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			key, value, _ := strings.Cut(entry, "\n")
			section, rest, _ := strings.Cut(key, ".")
			if key != "" && !(Entry{Section: section, Key: rest[strings.LastIndex(rest, ".")+1:], Value: value}).Harmless() {
				t.Errorf("of %q git reads %s", data, key)
			}
		}
	})
}
