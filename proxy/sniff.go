package proxy

import "bytes"

// opening is what the first bytes of a stream turn out to be.
type opening int

const (
	unclear  opening = iota // it may be a request line: hold it until it is whole
	odd                     // no request line by RFC 9112, maybe one by a lenient server: watch it
	opaque                  // neither of the below
	openTLS                 // a TLS record
	openHTTP                // an HTTP request line, in any shape that some server takes
)

// classify judges the first bytes of a client. It errs towards openTLS and
// openHTTP, for those are checked: a stream that it calls opaque is not read
// as TLS or HTTP by servers, however lenient. The type of a TLS record is
// enough, for crypto/tls takes a hello in a record of nearly any version.
func classify(b []byte) opening {
	if len(b) == 0 {
		return unclear
	}
	if b[0] >= 0x14 && b[0] <= 0x18 { // change_cipher_spec to heartbeat
		return openTLS
	}
	if len(b) < len(http2Preface) && bytes.HasPrefix(http2Preface, b) {
		return unclear
	}
	line := bytes.TrimLeftFunc(b, isBlank) // some servers skip more than the CRLF of RFC 9112 section 2.2
	line, _, whole := bytes.Cut(line, []byte{'\n'})
	switch {
	case hasVersion(line):
		return openHTTP
	case whole && namesHost(line):
		return openHTTP
	case whole:
		return opaque
	case len(b) >= maxHead:
		return classifyLong(b, line)
	case len(line) == len(b) && mayBeStrict(line):
		return unclear
	}
	return odd
}

// classifyLong judges a line that does not end within a head's length. Some
// servers take more: of what begins as a request does, or with empty lines,
// which nginx skips without end, the strict reading is left to say no.
func classifyLong(b, line []byte) opening {
	method := tokenLength(line)
	switch {
	case len(line) == 0 && len(bytes.Trim(b, " \t\r\n")) == 0:
		return openHTTP
	case method > 0 && (method == len(line) || isSeparator(rune(line[method]))):
		return openHTTP
	}
	return opaque
}

// mayBeStrict reports that line is how a request line may begin that the strict
// reading takes. Only that is worth to be held back.
func mayBeStrict(line []byte) bool {
	method := tokenLength(line)
	if method == 0 || method < len(line) && line[method] != ' ' {
		return false
	}
	return bytes.IndexFunc(bytes.TrimSuffix(line, []byte{'\r'}), isForbidden) < 0
}

// hasVersion reports "http/" in any letter case anywhere in line.
func hasVersion(line []byte) bool {
	const name = "http"
	for at := 0; ; at++ {
		i := bytes.IndexByte(line[at:], '/')
		if i < 0 {
			return false
		}
		at += i
		if at >= len(name) && bytes.EqualFold(line[at-len(name):at], []byte(name)) {
			return true
		}
	}
}

// namesHost reports a target with a host behind the first word of a whole line.
// A request of HTTP/0.9 carries no version and no Host, so it matters only then.
func namesHost(line []byte) bool {
	words := bytes.FieldsFunc(bytes.ToLower(line), isSeparator)
	for i, word := range words {
		if i > 0 && bytes.HasPrefix(word, []byte("http")) && bytes.Contains(word, []byte("://")) {
			return true
		}
	}
	return false
}

// isBlank reports what a lenient server may skip before a request line.
func isBlank(r rune) bool { return r <= ' ' }

// isSeparator reports what a lenient server may take for a space: Python's
// http.server splits at VT, FF, 0x1c to 0x1f, 0x85 and 0xa0.
func isSeparator(r rune) bool { return r <= ' ' || r >= 0x7f }

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
