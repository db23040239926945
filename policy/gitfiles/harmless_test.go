package gitfiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTame(t *testing.T) {
	for _, c := range []struct{ data, want, left string }{
		{"[core]\n\tbare = false\n", "[core]\n\tbare = false\n", ""},
		{"# mine\n[remote \"origin\"]\n\turl = https://git.test/a.git\n", "# mine\n[remote \"origin\"]\n\turl = https://git.test/a.git\n", ""},
		{"[core]\n\tbare = false\n\tfsmonitor = evil\n", "[core]\n\tbare = \"false\"\n", "core.fsmonitor"},
		{"[core]bare=false\n", "[core]\n\tbare = \"false\"\n", ""},
		{"[user]\n\tname = a \\\n[core]\n\tfsmonitor = evil\n", "[user]\n\tname = \"a [core]\"\n", "user.fsmonitor"},
		{"[include]\n\tpath = x\n", "", "include.path"},
		{"[remote \"o\"]\n\turl = ext::sh -c evil\n", "", "remote.url"},
		{"[submodule \"a\"]\n\tupdate = !evil\n\turl = x\n", "[submodule \"a\"]\n\turl = \"x\"\n", "submodule.update"},
		{"[core \"a\\\"]\\n[core\"]\n\tbare = true\n", "[core \"a\\\"]n[core\"]\n\tbare = \"true\"\n", ""},
	} {
		tamed, left := Tame([]byte(c.data))
		if string(tamed) != c.want || strings.Join(left, " ") != c.left {
			t.Errorf("Tame(%q) = %q, %v; want %q, %s", c.data, tamed, left, c.want, c.left)
		}
	}
}

// Whatever is in a file, git finds nothing in what Tame leaves of it but what is
// harmless.
func FuzzTame(f *testing.F) {
	if _, err := exec.LookPath("git"); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"[core]\n\tfsmonitor = evil\n", "[core]\r\nbare = false\r\n[alias]x=!y", "[core \"a\\\"]\nfsmonitor=x", "[core]a\\\nfsmonitor=x\n",
		"[Core.x]\nfsmonitor\n", "\uFEFF[core]\nbare", "[user]\nname=\"a\\n[core]\\nfsmonitor=x\"", "[a]\nb=c;\n[core]#x\nfsmonitor = y",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "config")
	f.Fuzz(func(t *testing.T, data []byte) {
		tamed, _ := Tame(data)
		if err := os.WriteFile(path, tamed, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("git", "config", "--file", path, "--no-includes", "--list", "-z").Output()
		if err != nil {
			return // git runs nothing of it
		}
		for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			key, value, _ := strings.Cut(entry, "\n")
			section, rest, _ := strings.Cut(key, ".")
			name := rest[strings.LastIndex(rest, ".")+1:]
			if key != "" && !(Entry{Section: section, Key: name, Value: value}).Harmless() {
				t.Errorf("%q became %q, of which git reads %s", data, tamed, key)
			}
		}
	})
}
