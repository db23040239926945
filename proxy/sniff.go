package proxy

import "bytes"

// opening is what the first bytes of a stream turn out to be.
type opening int

const (
	unclear  opening = iota // more bytes are needed
	opaque                  // neither of the below
	openTLS                 // a TLS record
	openHTTP                // an HTTP request line, in any shape that some server takes
)

// maxMethod is longer than any method that a server takes.
const maxMethod = 64

// classify judges the first bytes of a client. It errs towards openTLS and
// openHTTP, for those are checked: a stream that it calls opaque is not read
// as TLS or HTTP by servers, however lenient.
func classify(b []byte) opening {
	if len(b) == 0 {
		return unclear
	}
	if b[0] >= 0x14 && b[0] <= 0x18 { // change_cipher_spec to heartbeat
		return classifyRecord(b)
	}
	line := bytes.TrimLeft(b, "\r\n") // servers skip empty lines, RFC 9112 section 2.2
	if len(line) == 0 {
		return unclearUpTo(b)
	}
	method := tokenLength(line)
	switch {
	case method == 0 || method > maxMethod:
		return opaque
	case method == len(line):
		return unclearUpTo(b)
	case line[method] != ' ' && line[method] != '\t':
		return opaque
	}
	end := bytes.IndexAny(line, "\n\x00")
	switch {
	case end < 0:
		return unclearUpTo(b)
	case line[end] == 0: // git:// and the like
		return opaque
	}
	return classifyLine(line[method:end])
}

func classifyRecord(b []byte) opening {
	switch {
	case len(b) < 2:
		return unclear
	case b[1] == 3: // SSL 3.0 to TLS 1.3
		return openTLS
	}
	return opaque
}

// classifyLine judges what follows the first word of a whole line. A request
// of HTTP/0.9 carries no version and no Host, so it matters only when it names
// a host in its target.
func classifyLine(rest []byte) opening {
	for _, word := range bytes.FieldsFunc(bytes.ToLower(rest), isLineSpace) {
		isVersion := bytes.HasPrefix(word, []byte("http/"))
		namesHost := bytes.HasPrefix(word, []byte("http")) && bytes.Contains(word, []byte("://"))
		if isVersion || namesHost {
			return openHTTP
		}
	}
	return opaque
}

// unclearUpTo gives up on a line that is too long for any request.
func unclearUpTo(b []byte) opening {
	if len(b) >= maxFirstLine {
		return openHTTP
	}
	return unclear
}

func isLineSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\r' || r == '\v' || r == '\f'
}

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
