package policy

import (
	"strings"
	"testing"
)

func TestOpenProtected(t *testing.T) {
	dir := t.TempDir()
	load := func(paths ...string) (*Policy, error) {
		p, _, err := Load(Options{Dir: dir, Home: "/h", ManagedDir: "/etc/srun", Flags: Flags{"open-protected": paths}})
		return p, err
	}
	p, err := load(".vscode", ".claude/settings.json", "~/.bashrc", "sub/.git/hooks")
	if err != nil {
		t.Fatal(err)
	}
	closed, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Verdict{
		dir + "/.vscode":                     Allowed,
		dir + "/.vscode/tasks.json":          Allowed,
		dir + "/.claude/settings.json":       Allowed,
		dir + "/sub/.git/hooks/pre-commit":   Allowed,
		dir + "/.git/hooks/pre-commit":       Denied,
		dir + "/.claude/settings.local.json": Denied,
		dir + "/.vscode/.srun":               Denied,
		dir + "/sub/.vscode":                 Denied,
		dir + "/.vscode2/.envrc":             Denied,
		"/h/.bashrc":                         Denied, // opened, and not in allowWrite
	} {
		if got := p.WriteVerdict(path); got.Verdict != want {
			t.Errorf("%s: %+v; want %v", path, got, want)
		}
		if got := closed.WriteVerdict(path); got.Verdict != Denied {
			t.Errorf("without the flag, %s: %+v", path, got)
		}
	}
	if got := p.WriteVerdict("/h/.bashrc"); got.Reason != "not in allowWrite" || !p.Opened("/h/.bashrc") {
		t.Errorf("~/.bashrc: %+v", got)
	}
	p.Filesystem.DenyWrite = []PathRule{{Path: dir + "/.vscode"}}
	if got := p.WriteVerdict(dir + "/.vscode/x"); got.Reason != "denyWrite" {
		t.Errorf("with denyWrite: %+v", got)
	}
	if len(p.Protected()) != len(closed.Protected()) {
		t.Error("the list of protected paths is not whole")
	}
	for path, want := range map[string]string{
		"":                     "an empty path",
		"src":                  `--open-protected: "src": not a protected path`,
		".claude":              `--open-protected: ".claude": not a protected path itself, but what is in it, such as ` + dir + "/.claude/settings.json",
		"~/.config":            `--open-protected: "~/.config": not a protected path itself, but what is in it, such as /h/.config/srun`,
		".srun":                `--open-protected: ".srun": decides what srun allows; nothing opens it`,
		".srun/settings.json":  "nothing opens it",
		"a/.vscode/.srun/x":    "nothing opens it",
		"~/.config/srun":       "nothing opens it",
		"~/.local/state/srun/": "nothing opens it",
		"/etc/srun":            "nothing opens it",
	} {
		if _, err := load(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", path, err, want)
		}
	}
}
