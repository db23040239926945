package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"srun/policy"
	"srun/proxy/internal/dialing"
	"srun/proxy/internal/question"
	"srun/proxy/internal/socks5"
	"srun/proxy/internal/upstream"
)

// An error is the same in HTTP and in SOCKS, as near as the codes allow.
func TestReplies(t *testing.T) {
	denied := newDenial(hostAt(7), policy.Decision{}, CodeAllowlist, question.Unlisted)
	for name, test := range map[string]struct {
		err    error
		status int
		reply  byte
	}{
		"a denial":              {denied, http.StatusBadGateway, socks5.NotAllowed}, // HTTP's has a status of its own
		"refused":               {os.NewSyscallError("connect", syscall.ECONNREFUSED), http.StatusBadGateway, socks5.ConnectionRefused},
		"no route to the host":  {os.NewSyscallError("connect", syscall.EHOSTUNREACH), http.StatusBadGateway, socks5.HostUnreachable},
		"no route to the net":   {os.NewSyscallError("connect", syscall.ENETUNREACH), http.StatusBadGateway, socks5.NetworkUnreachable},
		"no such name":          {unresolved(t, nil), http.StatusBadGateway, socks5.HostUnreachable},
		"a slow name":           {unresolved(t, context.DeadlineExceeded), http.StatusGatewayTimeout, socks5.TTLExpired},
		"slow":                  {fmt.Errorf("dial: %w", os.ErrDeadlineExceeded), http.StatusGatewayTimeout, socks5.TTLExpired},
		"out of descriptors":    {os.NewSyscallError("socket", syscall.EMFILE), http.StatusServiceUnavailable, socks5.Failure},
		"refused by the proxy":  {&upstream.Refusal{Status: http.StatusForbidden}, http.StatusForbidden, socks5.NotAllowed},
		"failed behind it":      {&upstream.Refusal{Status: http.StatusBadGateway}, http.StatusBadGateway, socks5.Failure},
		"another SOCKS command": {&socks5.Error{Reply: socks5.CommandNotSupported}, http.StatusBadGateway, socks5.CommandNotSupported},
		"anything else":         {errors.New("x"), http.StatusBadGateway, socks5.Failure},
	} {
		if got := gatewayStatus(test.err); got != test.status {
			t.Errorf("%s: status %d, want %d", name, got, test.status)
		}
		if got := socksReplyFor(test.err); got != test.reply {
			t.Errorf("%s: reply %d, want %d", name, got, test.reply)
		}
	}
}

// unresolved is the error of a name whose lookup ends with err, or without an
// address.
func unresolved(t *testing.T, err error) error {
	out := &dialing.Net{Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, err }}
	host, _ := policy.ParseHost("nosuch.test")
	_, failed := out.Lookup(t.Context(), host)
	return failed
}
