package proxy

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"srun/proxy/internal/oneline"
)

// respondError answers a request with srun's own words, and reports whether the
// connection can take another. req is nil when there is none to speak of.
func (h *httpConn) respondError(req *head, status int, code, text string) bool {
	keep := req != nil && req.keepsAlive() && req.length == 0 && h.inside == nil && status != http.StatusBadRequest
	body := "srun: " + text + "\n"
	writeStatus(h.bw, status, "")
	writeField(h.bw, "Content-Type", "text/plain; charset=utf-8")
	writeField(h.bw, "Content-Length", strconv.Itoa(len(body)))
	writeField(h.bw, "X-Content-Type-Options", "nosniff")
	if code != "" {
		writeField(h.bw, errorField, code)
	}
	if !keep {
		writeField(h.bw, "Connection", "close")
	}
	h.bw.WriteString("\r\n")
	if req == nil || req.method != http.MethodHead {
		h.bw.WriteString(body)
	}
	if h.bw.Flush() != nil {
		return false
	}
	if !keep {
		drain(h.c.conn)
	}
	return keep
}

// writeStatus writes a status line; an empty reason is the usual one.
func writeStatus(bw *bufio.Writer, status int, reason string) {
	if reason == "" {
		reason = http.StatusText(status)
	}
	bw.WriteString("HTTP/1.1 ")
	bw.WriteString(strconv.Itoa(status))
	bw.WriteByte(' ')
	bw.WriteString(reason)
	bw.WriteString("\r\n")
}

// status is the HTTP status of a denial: a target that does not parse is the
// client's mistake.
func (d *Denial) status() int {
	if d.Host.Host.IsZero() {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// gatewayStatus is the HTTP status for a server that could not be reached.
func gatewayStatus(err error) int {
	if e, ok := errors.AsType[*proxyRefusal](err); ok && e.status == http.StatusForbidden {
		return http.StatusForbidden
	}
	if isTimeout(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusGatewayTimeout
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}

// gatewayText says why a server could not be reached.
func (s *Server) gatewayText(err error) string {
	if s.isClosed() {
		return "the run is over"
	}
	return oneline.Printable(err.Error())
}
