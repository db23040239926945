package http1

import "strings"

// Line follows the first line of a stream, which may come in any pieces and be of
// any length. The zero Line is at its beginning.
type Line struct {
	begun bool // something came that is not blank
	words bool // and behind it what a lenient server may take for a space
	tail  [4]byte
}

// Add takes the next piece and returns HTTP when a version, "http/" in any letter
// case, is anywhere behind the first word; Opaque when the line ended without one;
// and Odd while it goes on. A request of HTTP/0.9 has no version and is not noticed:
// servers that still take it take no line longer than [MaxHead].
func (l *Line) Add(piece []byte) Kind {
	for _, c := range piece {
		if !l.begun && isBlank(rune(c)) {
			continue
		}
		l.begun = true
		switch {
		case c == '\n':
			return Opaque
		case c == '/' && l.words && l.tail == [4]byte{'h', 't', 't', 'p'}:
			return HTTP
		case isSeparator(rune(c)):
			l.words = true
		}
		l.tail = [4]byte{l.tail[1], l.tail[2], l.tail[3], lower(c)}
	}
	return Odd
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// hasShape reports that a first line is what only HTTP has: a method in front and a
// version at the end, however wrong the rest.
func hasShape(raw string) bool {
	line := strings.TrimRight(raw, "\r\n")
	method := tokenLength([]byte(line))
	last := strings.LastIndexAny(line, " \t")
	const version = "HTTP/"
	if method == 0 || last < method || line[method] != ' ' && line[method] != '\t' {
		return false
	}
	word := line[last+1:]
	return len(word) > len(version) && strings.EqualFold(word[:len(version)], version)
}
