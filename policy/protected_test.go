package policy

import (
	"slices"
	"strings"
	"testing"
)

func TestProtectedPathMatches(t *testing.T) {
	for _, tt := range []struct {
		name, path      string
		matches, covers bool
	}{
		{".vscode", "/p/.vscode", true, true},
		{".vscode", "/.vscode", true, true},
		{".vscode", "/p/a/.vscode/tasks.json", false, true},
		{".vscode", "/p/.vscode2", false, false},
		{".vscode", "/p/x.vscode", false, false},
		{".vscode", "/", false, false},
		{".claude/settings.json", "/p/.claude/settings.json", true, true},
		{".claude/settings.json", "/.claude/settings.json", true, true},
		{".claude/settings.json", "/p/.claude/settings.json/x", false, true},
		{".claude/settings.json", "/p/.claude", false, false},
		{".claude/settings.json", "/p/x.claude/settings.json", false, false},
		{".claude/settings.json", "/settings.json", false, false},
		{".claude/settings.json", "/p/settings.json", false, false},
		{"*.code-workspace", "/p/a.code-workspace", true, true},
		{"*.code-workspace", "/p/a.code-workspace/x", false, true},
		{"*.code-workspace", "/p/a.code-workspace.txt", false, false},
		{"*.code-workspace", "/p/code-workspace", false, false},
		{"mise.*.toml", "/p/mise.ci.toml", true, true},
		{"mise.*.toml", "/p/mise.toml", false, false},
		{"mise.*.toml", "/p/amise.ci.toml", false, false},
	} {
		p := ProtectedPath{Path: tt.name, Anywhere: true}
		if m, c := p.Matches(tt.path), p.Covers(tt.path); m != tt.matches || c != tt.covers {
			t.Errorf("%s: %s: matches %v, covers %v; want %v, %v", tt.name, tt.path, m, c, tt.matches, tt.covers)
		}
	}
	home := ProtectedPath{Path: "/h/.bashrc"}
	if !home.Matches("/h/.bashrc") || home.Matches("/p/h/.bashrc") || home.Covers("/h/.bashrc2") || !home.Covers("/h/.bashrc/x") {
		t.Error("an absolute path is not matched by its components")
	}
}

// What reads the table counts on the shape of a name.
func TestProtectedNames(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range (&Policy{Home: "/h"}).Protected() {
		switch {
		case p.Reason == "" || p.Runs == "":
			t.Errorf("%s: no reason, or no program", p.Path)
		case seen[p.Path]:
			t.Errorf("%s is there twice", p.Path)
		case p.Anywhere && strings.Count(p.Path, "/") > 1 && !strings.HasPrefix(p.Path, ".git/"):
			t.Errorf("%s has more than two components", p.Path)
		case strings.Contains(p.Path, "*") && (!p.Anywhere || strings.Count(p.Path, "*") > 1 || strings.Contains(p.Path, "/")):
			t.Errorf("%s: a pattern is of one component and has one '*'", p.Path)
		}
		seen[p.Path] = true
	}
	for _, prose := range []string{
		"/p/CLAUDE.md", "/p/.claude/CLAUDE.md", "/p/.claude/rules/go.md", "/p/AGENTS.md", "/p/.cursor/rules/go.mdc", "/p/.kiro/steering/tech.md",
		"/p/.gemini/GEMINI.md", "/p/.codex/AGENTS.md", "/p/.yarn/cache/x.zip", "/p/.cargo/registry", "/p/mise-tasks/build", "/p/.env",
	} {
		if p := (&Policy{Home: "/h"}).Protected(); slices.ContainsFunc(p, func(p ProtectedPath) bool { return p.Covers(prose) }) {
			t.Errorf("%s is protected", prose)
		}
	}
}
