// Package docs holds the manual. Its tests hold the pages against the code:
// the default lists are generated, every key and flag is described, and every
// example loads.
package docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"srun/launcher"
	"srun/policy"
	"srun/policy/redact"
)

var update = flag.Bool("update", false, "rewrite the generated tables")

// home is nobody's: paths below it are printed with "~".
const home = "/home/of/nobody"

// The tables of credentials.md and environment.md are what policy has, those of
// layers.md what scripts/layers found. To rewrite them: go test ./docs -update
func TestGeneratedTables(t *testing.T) {
	for _, table := range []struct {
		file, name string
		rows       []string
	}{
		{"credentials.md", "credentials", credentialRows(t)},
		{"credentials.md", "start set", startRows()},
		{"credentials.md", "protected", protectedRows(t)},
		{"environment.md", "variables", variableRows(t)},
		{"settings.md", "settings", settingRows()},
		{"settings.md", "caches", cacheRows()},
		{"layers.md", "layers", layerRows(t)},
		{"layers.md", "promises", promiseRows(t)},
	} {
		place(t, table.file, "<!-- generated: "+table.name+" -->\n", "<!-- end -->", table.rows)
	}
}

// place holds the lines between begin and end in a file against rows.
func place(t *testing.T, file, begin, end string, rows []string) {
	t.Helper()
	old := read(t, file)
	head, rest, found := strings.Cut(old, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for %q", file, strings.TrimSpace(begin))
	}
	keep(t, file, old, head+begin+strings.Join(rows, "\n")+"\n"+end+tail)
}

// keep writes a generated file anew with -update, and otherwise fails where it
// is out of date.
func keep(t *testing.T, file, old, current string) {
	t.Helper()
	switch {
	case current == old:
	case *update:
		if err := os.WriteFile(file, []byte(current), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is out of date; run: go test ./docs -update", file)
	}
}

func load(t *testing.T, goos string) *policy.Policy {
	t.Helper()
	p, _, err := policy.Load(policy.Options{Dir: t.TempDir(), Home: home, GOOS: goos})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cacheRows() []string {
	rows := []string{"| Cache of | Where | Its own variable | Told by, where the host has none |", "| --- | --- | --- | --- |"}
	for _, c := range policy.Caches() {
		where := "~/" + c.Path
		if rest, ok := strings.CutPrefix(c.Path, "$CACHE/"); ok {
			where = "$XDG_CACHE_HOME/" + rest
		}
		code := func(s string) string {
			if s == "" {
				return ""
			}
			return "`" + s + "`"
		}
		tells, _, _ := strings.Cut(c.Tells, "=")
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", c.Tool, code(where), code(c.Moves), code(tells)))
	}
	return rows
}

func credentialRows(t *testing.T) []string {
	systems := map[string]string{}
	const settings = "settings"
	reasons, stands := map[string]string{}, map[string]string{}
	var paths []string
	for _, goos := range []string{"linux", "darwin"} {
		for _, r := range load(t, goos).Filesystem.DenyRead {
			if _, known := systems[r.Path]; !known {
				paths = append(paths, r.Path)
			}
			systems[r.Path] += goos
			reasons[r.Path] = r.Reason
			stands[r.Path] = r.StandIn
			if r.Settings != redact.None {
				stands[r.Path] = settings
			}
		}
	}
	words := map[string]string{"": "", "\n": "empty", policy.EmptyDir: "empty", settings: "its settings, without the secrets"}
	rows := []string{"| Path | Why | System | Reads as |", "| --- | --- | --- | --- |"}
	for _, p := range paths {
		stand, ok := words[stands[p]]
		if !ok {
			stand = "`" + strings.TrimSpace(stands[p]) + "`"
		}
		system := map[string]string{"linux": "Linux", "darwin": "macOS", "linuxdarwin": "both"}[systems[p]]
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", tilde(p), reasons[p], system, stand))
	}
	return rows
}

func startRows() []string {
	rows := []string{"| System | Paths |", "| --- | --- |"}
	for _, system := range [][2]string{{"linux", "Linux"}, {"darwin", "macOS"}} {
		rows = append(rows, fmt.Sprintf("| %s | `%s` |", system[1], strings.Join(policy.StartSet(system[0]), "`, `")))
	}
	return rows
}

func protectedRows(t *testing.T) []string {
	rows := []string{"| Path | Run or read by | What it is |", "| --- | --- | --- |"}
	for _, anywhere := range []bool{true, false} {
		for _, p := range (&policy.Policy{Home: home}).Protected() {
			if p.Anywhere == anywhere {
				rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", tilde(p.Path), p.Runs, p.Reason))
			}
		}
	}
	return rows
}

func variableRows(t *testing.T) []string {
	rows := []string{"| Names | Why |", "| --- | --- |"}
	for _, r := range load(t, "linux").Environment.Deny {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", r.Glob, r.Reason))
	}
	return rows
}

func tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, home); ok {
		return "~" + rest
	}
	return path
}

func TestEveryAuditFieldIsDescribed(t *testing.T) {
	fields := regexp.MustCompile("`json:\"([a-z_]+)").FindAllStringSubmatch(read(t, "../proxy/internal/audit/audit.go"), -1)
	if len(fields) < 15 {
		t.Fatalf("found %d fields in proxy/internal/audit: is that still where they are?", len(fields))
	}
	page := read(t, "audit-log.md")
	for _, f := range fields {
		if !regexp.MustCompile("(?m)^\\| .*`" + f[1] + "`.* \\|").MatchString(page) {
			t.Errorf("audit-log.md does not describe %s", f[1])
		}
	}
}

// Every settings file in examples loads, and this build enforces all of it.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := policy.Load(policy.Options{Dir: t.TempDir(), Home: home, SettingsFiles: []string{abs}})
		if err != nil {
			t.Error(err)
			continue
		}
		if runtime.GOOS != "linux" {
			continue // nothing is enforced elsewhere yet
		}
		for _, err := range p.Unsupported(launcher.Capabilities(), nil) {
			t.Error(err)
		}
	}
}

// Every block of settings in the manual and the README loads.
func TestSettingsInPages(t *testing.T) {
	block := regexp.MustCompile("(?s)```json( managed)?\n(.*?)```")
	total := 0
	for _, file := range []string{"../README.md", "settings.md", "credentials.md", "environment.md"} {
		for i, m := range block.FindAllStringSubmatch(read(t, file), -1) {
			total++
			dir := t.TempDir()
			path := filepath.Join(dir, "managed-settings.json")
			if err := os.WriteFile(path, []byte(m[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			opts := policy.Options{Dir: dir, Home: home, SettingsFiles: []string{path}}
			if m[1] != "" {
				opts.SettingsFiles, opts.ManagedDir = nil, dir
			}
			if _, _, err := policy.Load(opts); err != nil {
				t.Errorf("%s, block %d: %v", file, i+1, err)
			}
		}
	}
	if total < 15 {
		t.Errorf("found %d blocks of settings: the pages had more", total)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
