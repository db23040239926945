package proxy

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
)

// respondError answers a request with srun's own words, and reports whether the
// connection can take another. req is nil when there is none to speak of.
func (h *httpConn) respondError(req *http1.Head, status int, code, text string) bool {
	keep := req != nil && req.KeepsAlive() && req.Length == 0 && h.inside == nil && status != http.StatusBadRequest
	body := "srun: " + text + "\n"
	http1.WriteStatus(h.bw, status, "")
	http1.WriteField(h.bw, "Content-Type", "text/plain; charset=utf-8")
	http1.WriteField(h.bw, "Content-Length", strconv.Itoa(len(body)))
	http1.WriteField(h.bw, "X-Content-Type-Options", "nosniff")
	if code != "" {
		http1.WriteField(h.bw, errorField, code)
	}
	if !keep {
		http1.WriteField(h.bw, "Connection", "close")
	}
	h.bw.WriteString("\r\n")
	if req == nil || req.Method != http.MethodHead {
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

// status is the HTTP status of a denial: a target that does not parse is the
// client's mistake.
func (d *Denial) status() int {
	if d.Host.Host.IsZero() {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// line is what a client is told of a denial.
func (s *Server) line(d *Denial) string {
	if s.cfg.Line == nil {
		return d.Line()
	}
	return s.cfg.Line(d.Told())
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
