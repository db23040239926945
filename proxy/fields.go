package proxy

import (
	"bufio"
	"strings"
)

// field is one line of a message head, spelled as it came.
type field struct{ name, value string }

// fields are the lines of a message head, in order.
type fields []field

// values returns the values of every field of that name.
func (f fields) values(name string) (found []string) {
	for _, line := range f {
		if strings.EqualFold(line.name, name) {
			found = append(found, line.value)
		}
	}
	return found
}

// lists reports whether a comma-separated field has the token.
func (f fields) lists(name, token string) bool {
	for _, value := range f.values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// without returns the fields that have none of the names.
func (f fields) without(names ...string) fields {
	kept := make(fields, 0, len(f)+4)
next:
	for _, line := range f {
		for _, name := range names {
			if strings.EqualFold(line.name, name) {
				continue next
			}
		}
		kept = append(kept, line)
	}
	return kept
}

func (f fields) write(bw *bufio.Writer) {
	for _, line := range f {
		writeField(bw, line.name, line.value)
	}
}

func writeField(bw *bufio.Writer, name, value string) {
	bw.WriteString(name)
	bw.WriteString(": ")
	bw.WriteString(value)
	bw.WriteString("\r\n")
}

// hopByHop are the fields between two neighbours, RFC 9110 section 7.6.1, the
// ones that clients send to a proxy by habit, and those that frame a body.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Proxy-Authentication-Info", "TE", "Upgrade", "HTTP2-Settings", "Content-Length", "Transfer-Encoding",
}

// endToEnd returns the fields that are for the other side: without the
// hop-by-hop ones, those that Connection names included.
func (f fields) endToEnd() fields {
	drop := hopByHop
	for _, value := range f.values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			drop = append(drop[:len(drop):len(drop)], strings.Trim(name, " \t"))
		}
	}
	kept := f.without(drop...)
	if f.lists("TE", "trailers") {
		kept = append(kept, field{"TE", "trailers"})
	}
	return kept
}

// upgrade returns the protocol that a message switches to, of those that are
// passed on. Another version of HTTP is not: its requests would go unchecked.
func (f fields) upgrade() string {
	protocols := f.values("Upgrade")
	if len(protocols) != 1 || !f.lists("Connection", "upgrade") {
		return ""
	}
	switch strings.ToLower(protocols[0]) {
	case "websocket", "tcp":
		return protocols[0]
	}
	return ""
}
