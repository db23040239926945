package gitfiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var configs = map[string]string{
	"plain":         "[core]\n\thooksPath = /a/b\n",
	"same line":     "[core] hooksPath=x ; comment\n[core]editor = y # more\n",
	"subsection":    "[filter \"a b\\\"c\\\\d\"]\n clean = run\n[Filter.Old]\nsmudge = z\n",
	"quotes":        "[alias]\nx = \"!run ; y\" # no\ny = a \"b  c\" d  \nz = \"  lead\"\n",
	"escapes":       "[a]\nb = \\\"x\\\\y\\tz\\n\n",
	"continued":     "[a]\nb = one \\\n two\nc = 3\n",
	"crlf and bom":  "\uFEFF[a]\r\nb = 1\r\nc = 2\r\n",
	"key alone":     "[core]\nbare\nfsmonitor\n",
	"empty value":   "[core]\nx =\ny = 2\n",
	"comments":      "# one\n; two\n[a]\n# three\nb = 1\n\n",
	"no newline":    "[a]\nb = 1",
	"equals inside": "[a]\nb = x=y\n",
}

// Every configuration reads as git itself reads it.
func TestParseLikeGit(t *testing.T) {
	for name, text := range configs {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("git", "config", "-f", file, "-z", "--list").Output()
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, e := range Parse([]byte(text)) {
				got.WriteString(e.Section)
				if e.Subsection != "" {
					got.WriteString("." + e.Subsection)
				}
				got.WriteString("." + e.Key)
				if e.Value != "" || strings.Contains(text, e.Key+" =") {
					got.WriteString("\n" + e.Value)
				}
				got.WriteByte(0)
			}
			if d := cmp.Diff(string(out), got.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range configs {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range Parse(data) {
			if e.Section != strings.ToLower(e.Section) || e.Key != strings.ToLower(e.Key) {
				t.Errorf("%+v", e)
			}
		}
	})
}
