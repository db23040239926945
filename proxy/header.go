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

// errorField carries the code of a refusal. It is srun's word: a server's is not
// passed on, for a client could not tell it from a refusal.
const errorField = "X-Proxy-Error"

// writeHeader writes a response's fields that are for the client.
func writeHeader(bw *bufio.Writer, h http.Header) {
	headerFields(h).endToEnd().without(errorField).write(bw)
}

// serversWriter takes errorField out of a server's response, whatever part of it
// the field is in.
type serversWriter struct{ http.ResponseWriter }

func (w serversWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w serversWriter) WriteHeader(status int) {
	w.Header().Del(errorField)
	w.ResponseWriter.WriteHeader(status)
}

// end is called when all has been written but the trailer.
func (w serversWriter) end() {
	w.Header().Del(errorField)
	delete(w.Header(), http.TrailerPrefix+errorField)
}

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
