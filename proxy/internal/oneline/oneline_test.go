package oneline

import (
	"strconv"
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, "example.com:443": "example.com:443", "a b": `"a b"`, `a"b`: `"a\"b"`, "a\nb": `"a\nb"`,
		"\x1b[2J": `"\x1b[2J"`, "\xff": `"\xff"`, "ü.test": "ü.test", "\u202e": `"\u202e"`,
		strings.Repeat("a", 400): strings.Repeat("a", maxQuoted) + "...",
	} {
		if got := Quote(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

// Whatever comes in, one line of printable text comes out.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"plain", "a\r\nb", "\x1b]0;x\a", "\xff\xfe", "\u2028", "\u202e", `"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Printable(s), Quote(s)} {
			if strings.ContainsFunc(got, func(r rune) bool { return !strconv.IsPrint(r) }) {
				t.Errorf("%q: %q", s, got)
			}
		}
	})
}
