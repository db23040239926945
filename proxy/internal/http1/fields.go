package http1

import "strings"

// Field is one line of a message head, spelled as it came.
type Field struct{ Name, Value string }

// Fields are the lines of a message head, in order.
type Fields []Field

// Values returns the values of every field of that name, in any letter case.
func (f Fields) Values(name string) (found []string) {
	for _, line := range f {
		if strings.EqualFold(line.Name, name) {
			found = append(found, line.Value)
		}
	}
	return found
}

// Lists reports whether a comma-separated field has the token (RFC 9110 section
// 5.6.1), in any letter case.
func (f Fields) Lists(name, token string) bool {
	for _, value := range f.Values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// Without returns the fields that have none of the names.
func (f Fields) Without(names ...string) Fields {
	kept := make(Fields, 0, len(f)+4)
next:
	for _, line := range f {
		for _, name := range names {
			if strings.EqualFold(line.Name, name) {
				continue next
			}
		}
		kept = append(kept, line)
	}
	return kept
}

// hopByHop are the fields between two neighbours, RFC 9110 section 7.6.1, the
// ones that clients send to a proxy by habit, and those that frame a body.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Proxy-Authentication-Info", "TE", "Upgrade", "HTTP2-Settings", "Content-Length", "Transfer-Encoding",
}

// EndToEnd returns the fields that are for the other side: without the
// hop-by-hop ones, those that Connection names included.
func (f Fields) EndToEnd() Fields {
	drop := hopByHop
	for _, value := range f.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			drop = append(drop[:len(drop):len(drop)], strings.Trim(name, " \t"))
		}
	}
	kept := f.Without(drop...)
	if f.Lists("TE", "trailers") {
		kept = append(kept, Field{"TE", "trailers"})
	}
	return kept
}

// Upgrade returns the protocol that a message switches to, of those that are
// passed on: "websocket", "tcp", or "" for none. Another version of HTTP is not:
// its requests would go unchecked.
func (f Fields) Upgrade() string {
	protocols := f.Values("Upgrade")
	if len(protocols) != 1 || !f.Lists("Connection", "upgrade") {
		return ""
	}
	switch strings.ToLower(protocols[0]) {
	case "websocket", "tcp":
		return protocols[0]
	}
	return ""
}
