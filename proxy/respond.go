package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"

	"srun/proxy/internal/oneline"
	"srun/proxy/internal/upstream"
)

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
	if e, ok := errors.AsType[*upstream.Refusal](err); ok && e.Status == http.StatusForbidden {
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
func (f *filter) gatewayText(err error) string {
	if f.over() {
		return "the run is over"
	}
	return oneline.Printable(err.Error())
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
