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
	if b[0] >= 0x14 && b[0] <= 0x18 || isOldHello(b) { // change_cipher_spec to heartbeat
		return TLS
	}
	if bytes.HasPrefix(b, proxyHeader) {
		return HTTP
	}
	if len(b) < len(HTTP2Preface) && bytes.HasPrefix(HTTP2Preface, b) {
		return Unclear
	}
	line := bytes.TrimLeftFunc(b, isBlank) // some servers skip more than the CRLF of RFC 9112 section 2.2
	line, _, whole := bytes.Cut(line, []byte{'\n'})
	switch {
	case new(Line).Add(b) == HTTP:
		return HTTP
	case whole && (namesHost(line) || isLenient(line)):
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

// isOldHello reports a ClientHello in the form of SSLv2, which OpenSSL takes still:
// a length with its first bit set, the type, and a version of TLS or 2 (RFC 5246 E.2).
func isOldHello(b []byte) bool {
	return len(b) >= 5 && b[0]&0x80 != 0 && b[2] == 1 && (b[3] == 3 || b[3] == 0 && b[4] == 2)
}

// proxyHeader begins version 2 of the header by which a proxy tells of its client, in
// front of whatever protocol; version 1 is a line that begins with "PROXY".
var proxyHeader = []byte("\r\n\r\n\x00\r\nQUIT\n")

// HasVersion reports that HTTP's version is in the first line, and not another or none.
func HasVersion(b []byte) bool { return new(Line).Add(b) == HTTP }

// isLenient reports a whole line that some server takes for a request's though no
// version of HTTP is in it: Node takes one without any, and RTSP's and ICE's, and goes
// by the Host behind it. The header of a proxy is one too, for a request may follow.
func isLenient(line []byte) bool {
	words := bytes.FieldsFunc(line, isSeparator)
	if len(words) < 2 || len(words[0]) < 3 || bytes.IndexFunc(words[0], func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' && r != '_' }) >= 0 {
		return false
	}
	if string(words[0]) == "PROXY" {
		return true
	}
	target := words[1]
	if target[0] != '/' && string(target) != "*" && !bytes.Contains(target, []byte("://")) {
		return false
	}
	return len(words) == 2 || len(words) == 3 && isVersion(words[2])
}

// isVersion reports a protocol's name and number, as in "RTSP/1.0".
func isVersion(word []byte) bool {
	name, number, ok := bytes.Cut(word, []byte{'/'})
	return ok && len(name) > 0 && len(number) > 0 && number[0] >= '0' && number[0] <= '9'
}

// namesHost reports a target with a host behind the first word of a whole line.
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
