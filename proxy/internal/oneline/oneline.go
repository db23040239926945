package oneline

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxQuoted bounds what Quote keeps of a text, in bytes.
const maxQuoted = 300

// Quote returns s as it is when it is plain text, and as a Go string literal
// when not; a long s is cut.
func Quote(s string) string {
	if len(s) > maxQuoted {
		s = s[:maxQuoted] + "..."
	}
	if s == "" || Printable(s) != s || strings.ContainsAny(s, ` "`) {
		return strconv.Quote(s)
	}
	return s
}

// Printable escapes what could break a line or move a terminal's cursor; other
// text is returned as it is.
func Printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}
