package http1

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// RequestPath returns the path of a request target as rules see it: without
// the query, with every %XX decoded. Servers read some paths in different
// ways, and a rule must not hold for one reading alone; such a path is an
// error, as no client that follows RFC 3986 sends it.
func RequestPath(target string) (string, error) {
	if target == "*" {
		return target, nil
	}
	raw, _, _ := strings.Cut(target, "?")
	switch {
	case !strings.HasPrefix(raw, "/"):
		return "", errors.New("it does not begin with a slash")
	case strings.ContainsRune(raw, '#'):
		return "", errors.New("it has a fragment")
	}
	path, err := decodePath(raw)
	if err != nil {
		return "", err
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "" && i < len(segments)-1 {
			return "", errors.New("it has an empty segment")
		}
		if last := len(s) - 1; last >= 0 && (s[last] == '.' || s[last] == ' ') {
			return "", errors.New("a segment ends in a dot or space") // "." and ".." among them
		}
	}
	return path, nil
}

// decodePath decodes every %XX, but for bytes that change the path's shape.
func decodePath(raw string) (string, error) {
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c, encoded := raw[i], false
		if c == '%' {
			if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
				return "", errors.New("a '%' without two hex digits")
			}
			c, encoded = unhex(raw[i+1])<<4|unhex(raw[i+2]), true
			i += 2
		}
		switch {
		case encoded && c == '/':
			return "", errors.New("an encoded slash")
		case encoded && c == '%':
			return "", errors.New("an encoded percent sign, which may be decoded twice")
		case c == '\\', c == ';': // a slash to some; the start of parameters that are dropped to others
			return "", errors.New("a backslash or semicolon")
		case c < ' ', c == 0x7f:
			return "", errors.New("a control character")
		}
		b = append(b, c)
	}
	if !utf8.Valid(b) {
		return "", errors.New("it is not UTF-8")
	}
	return string(b), nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
