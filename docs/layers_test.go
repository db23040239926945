package docs

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// leftOut is a row of layers.json, which scripts/layers writes: the tests that
// fail without some layers, by whom they ran as.
type leftOut struct {
	Without, What  string
	User, Root, Go []string
}

func (l leftOut) tests() []string {
	tests := slices.Concat(l.User, l.Root, l.Go)
	slices.Sort(tests)
	return slices.Compact(tests)
}

func (l leftOut) has(test string) bool { return slices.Contains(l.tests(), test) }

func layersLeftOut(t *testing.T) []leftOut {
	t.Helper()
	var rows []leftOut
	if err := json.Unmarshal([]byte(read(t, "layers.json")), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// layerRows say who notices that a layer is gone. What fails in most tests is not
// listed by name.
func layerRows(t *testing.T) []string {
	const most = 12
	rows := []string{"| Without | What it does | Noticed by |", "| --- | --- | --- |"}
	for _, l := range layersLeftOut(t) {
		tests := l.tests()
		words := strings.Join(tests, ", ")
		switch {
		case len(tests) == 0:
			words = "nobody alone, of those that were tried"
		case len(tests) > most:
			words = fmt.Sprintf("%d tests", len(tests))
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", strings.ReplaceAll(l.Without, ",", " and "), l.What, words))
	}
	return rows
}

// promiseRows say for each attack which layers hold it off alone.
func promiseRows(t *testing.T) []string {
	rows := []string{"| Test | What it shows | Held by |", "| --- | --- | --- |"}
	results := layersLeftOut(t)
	for _, p := range promises(t) {
		var alone, together []string
		for _, l := range results {
			switch {
			case !l.has(p.test):
			case !strings.Contains(l.Without, ","):
				alone = append(alone, l.Without)
			default:
				together = append(together, strings.ReplaceAll(l.Without, ",", " or "))
			}
		}
		// A pair shows nothing that one of it shows alone.
		together = slices.DeleteFunc(together, func(pair string) bool {
			return slices.ContainsFunc(strings.Split(pair, " or "), func(l string) bool { return slices.Contains(alone, l) })
		})
		held := strings.Join(append(alone, together...), "; ")
		if held == "" {
			held = "more than one layer"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", p.test, p.words, held))
	}
	return rows
}

type promise struct{ test, words string }

// promises are the attack suite's tests, each with the first sentence of what it
// says of itself.
func promises(t *testing.T) (list []promise) {
	t.Helper()
	const prefix = "../cmd/srun/testdata/script/escape-"
	scripts, err := filepath.Glob(prefix + "*.txtar")
	if err != nil || len(scripts) < 40 {
		t.Fatalf("found %d scripts: %v", len(scripts), err)
	}
	for _, file := range scripts {
		var lines []string
		for line := range strings.Lines(read(t, file)) {
			text, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
			if !comment {
				break
			}
			lines = append(lines, strings.TrimSpace(text))
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, prefix), ".txtar")
		list = append(list, promise{name, sentence(strings.Join(lines, " "))})
	}
	for _, file := range []string{"../linux/escape_test.go", "../linux/box/escape_test.go", "../linux/filter/generate/escape_test.go"} {
		list = append(list, goPromises(t, file)...)
	}
	return list
}

// goPromises are those of the tests in Go.
func goPromises(t *testing.T, path string) (list []promise) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if name, test := "", false; ok {
			if name, test = strings.CutPrefix(f.Name.Name, "TestEscape"); test {
				list = append(list, promise{name, sentence(strings.ReplaceAll(f.Doc.Text(), "\n", " "))})
			}
		}
	}
	return list
}

// sentence is the first of a text, for a cell of a table.
func sentence(text string) string {
	for i := range text {
		if strings.ContainsRune(".;", rune(text[i])) && (i+1 == len(text) || text[i+1] == ' ') {
			text = text[:i]
			break
		}
	}
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(text), ":"), "|", `\|`)
}
