package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"srun/policy"
)

// settingRows is the table of all keys in settings.md.
func settingRows() []string {
	rows := []string{"| Key | Takes | Meaning | Flag | Untrusted |", "| --- | --- | --- | --- | --- |"}
	for _, s := range policy.Settings() {
		if s.Key == "" {
			continue
		}
		flag := ""
		if s.Flag != "" {
			flag = "`--" + s.Flag + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s | %s |", s.Key, s.Takes, s.About, flag, s.Untrusted))
	}
	return rows
}

// The lists of keys in srun-settings.5 are what policy has, object by object.
func TestManualOfSettings(t *testing.T) {
	for _, object := range []string{"network", "filesystem", "environment", "limits", "permissions", "credentials", "other"} {
		place(t, "srun-settings.5", `.\" generated: `+object+"\n", `.\" end`, manualItems(object))
	}
}

// manualItems are the keys of one object, or "other" for the top level.
func manualItems(object string) []string {
	lines := []string{".Bl -tag -width Ds"}
	for _, s := range policy.Settings() {
		name, inside := strings.CutPrefix(s.Key, object+".")
		if object == "other" {
			inside = s.Key != "" && !strings.Contains(s.Key, ".")
		}
		if !inside {
			continue
		}
		lines = append(lines, ".It Cm "+name+" Pq "+s.Takes, mdoc(s.About))
		if s.Flag != "" {
			lines = append(lines, "Flag:", ".Fl -"+s.Flag+" .")
		}
	}
	return append(lines, ".El")
}

// mdoc keeps a text from being read as macros, and begins a line with each
// sentence.
func mdoc(text string) string {
	text = strings.NewReplacer(`\`, `\e`, ". ", ".\n").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func TestSchemaFile(t *testing.T) {
	const file = "srun-settings.schema.json"
	old, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	keep(t, file, string(old), string(policy.Schema()))
}

// Every key that the schema knows, inside values too, is described.
func TestEveryKeyIsDescribed(t *testing.T) {
	keys := map[string]bool{}
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if properties, ok := node["properties"].(map[string]any); ok {
				for name := range properties {
					keys[name] = true
				}
			}
			for _, child := range node {
				walk(child)
			}
		case []any:
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(decodedSchema(t))
	if len(keys) < 60 {
		t.Fatalf("found %d keys in the schema", len(keys))
	}
	for _, file := range []string{"settings.md", "srun-settings.5"} {
		text := read(t, file)
		for key := range keys {
			if !regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(key) + `\b`).MatchString(text) {
				t.Errorf("%s does not mention the key %s", file, key)
			}
		}
	}
}

// srun.1 describes every flag and no other.
func TestEveryFlagIsDescribed(t *testing.T) {
	flags := map[string]bool{}
	for _, m := range regexp.MustCompile(`f\.\w+\(&[\w.]+, "([a-z-]+)"`).FindAllStringSubmatch(read(t, "../cmd/srun/flags.go"), -1) {
		flags[m[1]] = true
	}
	ofSettings := 0
	for _, s := range policy.Settings() {
		if s.Flag != "" {
			flags[s.Flag] = true
			ofSettings++
		}
	}
	if len(flags)-ofSettings < 15 {
		t.Fatalf("found %d flags in cmd/srun/flags.go: is that still where they are?", len(flags)-ofSettings)
	}
	page := read(t, "srun.1")
	described := map[string]bool{}
	for _, m := range regexp.MustCompile(`Fl -?([a-z][a-z-]*)`).FindAllStringSubmatch(page, -1) {
		described[m[1]] = true
		if !flags[m[1]] && len(m[1]) > 1 {
			t.Errorf("srun.1 describes --%s, which is no flag", m[1])
		}
	}
	for name := range flags {
		if !described[name] {
			t.Errorf("srun.1 does not describe --%s", name)
		}
	}
}

// The schema knows every key of the files that load.
func TestSchemaKnowsTheKeys(t *testing.T) {
	schema := decodedSchema(t)
	for _, glob := range []string{"../examples/*.json", "../policy/testdata/settings/*.json"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		for _, file := range files {
			checkKeys(t, schema, file, []byte(read(t, file)))
		}
	}
	wrong := map[string]any{"network": map[string]any{"allowDomains": true}}
	if got := unknownKeys(schema, schema, wrong, ""); !slices.Equal(got, []string{"network.allowDomains"}) {
		t.Errorf("a key that is none: the test found %q", got)
	}
}
