package gitfiles

import (
	"strings"
	"testing"
)

func FuzzWords(f *testing.F) {
	for _, line := range []string{
		"sh a.sh %f", "LC_ALL=C awk -fx.awk | cat", "f() { git add x && y; }; f", "sh -c 'a \"b c\"'",
		"sh \"$(git rev-parse --show-toplevel)/a.sh\"", "`x`/y", "A='b c' d", "((", "))", "a=", "()()",
	} {
		f.Add(line, true)
		f.Add(line, false)
	}
	f.Fuzz(func(t *testing.T, line string, git bool) {
		for i, w := range words(line, git) {
			if !strings.Contains(line, strings.TrimPrefix(w.text, ".")) {
				t.Errorf("%q is not in %q", w.text, line)
			}
			if w.first && i > 0 {
				t.Errorf("word %d of %q is the first", i, line)
			}
		}
	})
}
