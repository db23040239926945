package gitfiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	o := JudgeOptions{AllowedHost: func(host string, port int) bool { return host == "git.test" && port == 443 }}
	const promisor = "\tpromisor = true\n\tpartialclonefilter = blob:none\n"
	for _, c := range []struct{ data, why string }{
		{"[core]\n\tbare = false\n", ""},
		{"[branch \"a\\\"b\"]\n\tremote = origin\n\tdescription = \"x # y\\n\"\n", ""},
		{"[remote \"o\"]\n\turl = https://evil.test/r.git\n", ""},
		{"[remote \"o\"]\n\turl = https://git.test/r.git\n" + promisor, ""},
		{"[remote \"o\"]\n\turl = https://evil.test/r.git\n" + promisor, "not allowed"},
		{"[remote \"o\"]\n\turl = git@git.test:r.git\n" + promisor, "not allowed"},
		{"[remote \"o\"]\n\turl = ext::sh -c evil\n", "remote.o.url"},
		{"[core]\n\tfsmonitor = evil\n", "core.fsmonitor"},
		{"[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n", "filter.lfs.clean"},
		{"[include]\n\tpath = x\n", "include.path"},
		{"[core]\n\tworktree = /home/u\n", "core.worktree"},
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
	const before = "[core]\n\tbare = false\n[remote \"o\"]\n\turl = https://a.test/\n"
	for _, c := range []struct{ after, why string }{
		{before, ""},
		{before + "[user]\n\tname = u\n", ""},
		{before + "[alias]\n\tx = !evil\n", "alias.x"},
		{"[core]\n\tbare = false\n[remote \"o\"]\n\turl = https://b.test/\n", "remote.o.url was there"},
	} {
		why := JudgeChange([]byte(before), []byte(c.after), JudgeOptions{})
		if (c.why == "") != (why == "") || !strings.Contains(why, c.why) {
			t.Errorf("JudgeChange to %q = %q, want %q", c.after, why, c.why)
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
