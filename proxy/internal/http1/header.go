package http1

import (
	"net/http"
	"slices"
	"strings"
)

// FromHeader turns net/http's form of a head into fields, in name order. What
// could not stand in a line of its own is left out (names) or blanked (values).
func FromHeader(h http.Header) Fields {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	all := make(Fields, 0, len(h)+2)
	for _, name := range names {
		if !IsToken(name) {
			continue
		}
		for _, value := range h[name] {
			all = append(all, Field{name, OneLine(value)})
		}
	}
	return all
}

// OneLine returns a value with a space for each control byte, so that no server
// splits a response through it.
func OneLine(s string) string {
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

// ReasonPhrase is what a server says beside the status code.
func ReasonPhrase(resp *http.Response) string {
	_, reason, _ := strings.Cut(resp.Status, " ")
	return OneLine(reason)
}
