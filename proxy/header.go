package proxy

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
)

// headerFields turns net/http's form of a head into fields, in name order.
func headerFields(h http.Header) fields {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	all := make(fields, 0, len(h)+2)
	for _, name := range names {
		if tokenLength([]byte(name)) != len(name) {
			continue
		}
		for _, value := range h[name] {
			all = append(all, field{name, oneLine(value)})
		}
	}
	return all
}

// writeHeader writes a response's fields that are for the client.
func writeHeader(bw *bufio.Writer, h http.Header) { headerFields(h).endToEnd().write(bw) }

// oneLine keeps a server from splitting a response through a value.
func oneLine(s string) string {
	if strings.IndexFunc(s, isForbidden) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isForbidden(r) {
			return ' '
		}
		return r
	}, s)
}

// reasonPhrase is what a server says beside the status code.
func reasonPhrase(resp *http.Response) string {
	_, reason, _ := strings.Cut(resp.Status, " ")
	return oneLine(reason)
}
