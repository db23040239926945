package policy

import (
	"strings"
	"testing"
	"unicode"
)

func TestDenialLine(t *testing.T) {
	for _, c := range []struct {
		denial Denial
		want   string
	}{
		{Denial{Operation: "write", Target: "/a b/ö", Reason: "protected path"}, "denied write /a b/ö (protected path)"},
		{Denial{Operation: "read", Target: "/x/\x1b[2J\n'", Reason: "denyRead"}, `denied read "/x/\x1b[2J\n'" (denyRead)`},
		{Denial{Operation: "write", Target: "/\xff\u202e", Reason: "not in\r"}, `denied write "/\xff\u202e" ("not in\r")`},
	} {
		if got := c.denial.Line(); got != c.want {
			t.Errorf("Line = %s; want %s", got, c.want)
		}
		if strings.ContainsFunc(c.denial.Line(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Line = %q; want printable text", c.denial.Line())
		}
	}
}
