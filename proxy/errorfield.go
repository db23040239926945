package proxy

import (
	"bufio"
	"net/http"

	"srun/proxy/internal/http1"
)

// errorField carries the code of a refusal. It is srun's word: a server's is not
// passed on, for a client could not tell it from a refusal.
const errorField = "X-Proxy-Error"

// writeHeader writes a response's fields that are for the client.
func writeHeader(bw *bufio.Writer, h http.Header) {
	forClient(h).Write(bw)
}

// forClient are the fields of a response's header or trailer that are for the
// client.
func forClient(h http.Header) http1.Fields {
	return http1.FromHeader(h).EndToEnd().Without(errorField)
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
