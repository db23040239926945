package http1

import "bytes"

// Kind is what the first bytes of a stream turn out to be.
type Kind int

// The kinds. Unclear and Odd may become another with more bytes; the others stay.
const (
	Unclear Kind = iota // the beginning of a request line, maybe: see Begins
	Odd                 // none by RFC 9112, maybe one by a lenient server: watch it
	Endless             // a first line longer than MaxHead, and maybe a request's: see Line
	Opaque              // neither of the below
	TLS                 // a TLS record
	HTTP                // an HTTP request line, in any shape that some server takes
)

// HTTP2Preface opens cleartext HTTP/2, RFC 9113 section 3.4.
var HTTP2Preface = []byte("PRI * HTTP/2.0\r\n")

// Classify judges the first bytes of a client. It errs towards TLS and HTTP, for
// those are checked: a stream that it calls Opaque is not read as TLS or HTTP by
// servers, however lenient. The type of a TLS record is enough, for crypto/tls
// takes a hello in a record of nearly any version.
func Classify(b []byte) Kind {
	if len(b) == 0 {
		return Unclear
	}
	if b[0] >= 0x14 && b[0] <= 0x18 { // change_cipher_spec to heartbeat
		return TLS
	}
	if len(b) < len(HTTP2Preface) && bytes.HasPrefix(HTTP2Preface, b) {
		return Unclear
	}
	line := bytes.TrimLeftFunc(b, isBlank) // some servers skip more than the CRLF of RFC 9112 section 2.2
	line, _, whole := bytes.Cut(line, []byte{'\n'})
	switch {
	case new(Line).Add(b) == HTTP:
		return HTTP
	case whole && namesHost(line):
		return HTTP
	case whole:
		return Opaque
	case len(b) >= MaxHead:
		return classifyLong(b, line)
	case len(line) == len(b) && mayBeStrict(line):
		return Unclear
	}
	return Odd
}

// classifyLong judges a line that does not end within a head's length. Some
// servers take more: what begins as a request does, or with empty lines, which
// nginx skips without end, may still become one.
func classifyLong(b, line []byte) Kind {
	method := tokenLength(line)
	switch {
	case len(line) == 0 && len(bytes.Trim(b, " \t\r\n")) == 0:
		return Endless
	case method > 0 && (method == len(line) || isSeparator(rune(line[method]))):
		return Endless
	}
	return Opaque
}

// Begins reports that b is how a request line begins that [ReadHead] takes and that
// goes out byte by byte as it came in: a method, and a target that is a path or "*".
// So who has passed b on may still finish the line after having read the head.
func Begins(b []byte) bool {
	method := tokenLength(b)
	if method == len(b) {
		return true
	}
	target := b[method:]
	switch {
	case method == 0 || target[0] != ' ':
		return false
	case len(target) > 1 && target[1] != '/' && target[1] != '*':
		return false
	}
	return mayBeStrict(b)
}

// mayBeStrict reports that line is how a request line may begin that the strict
// reading takes.
func mayBeStrict(line []byte) bool {
	method := tokenLength(line)
	if method == 0 || method < len(line) && line[method] != ' ' {
		return false
	}
	return bytes.IndexFunc(bytes.TrimSuffix(line, []byte{'\r'}), isForbidden) < 0
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
