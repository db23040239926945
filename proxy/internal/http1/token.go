package http1

import "bytes"

// IsToken reports that s is an RFC 9110 token (section 5.6.2), as methods and
// field names are.
func IsToken(s string) bool { return s != "" && tokenLength([]byte(s)) == len(s) }

// tokenLength is the length of the RFC 9110 token that b begins with.
func tokenLength(b []byte) int {
	for i, c := range b {
		if !isTokenByte(c) {
			return i
		}
	}
	return len(b)
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}
