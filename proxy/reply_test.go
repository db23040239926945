package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"

	"srun/policy"
	"srun/proxy/internal/socks5"
)

// An error is the same in HTTP and in SOCKS, as near as the codes allow.
func TestReplies(t *testing.T) {
	host, _ := policy.ParseHost("nosuch.test")
	denied := newDenial(hostAt(7), policy.Decision{}, CodeAllowlist, unlistedReason)
	for name, test := range map[string]struct {
		err    error
		status int
		reply  byte
	}{
		"a denial":              {denied, http.StatusBadGateway, socks5.NotAllowed}, // HTTP's has a status of its own
		"refused":               {os.NewSyscallError("connect", syscall.ECONNREFUSED), http.StatusBadGateway, socks5.ConnectionRefused},
		"no route to the host":  {os.NewSyscallError("connect", syscall.EHOSTUNREACH), http.StatusBadGateway, socks5.HostUnreachable},
		"no route to the net":   {os.NewSyscallError("connect", syscall.ENETUNREACH), http.StatusBadGateway, socks5.NetworkUnreachable},
		"no such name":          {&resolveError{host, errNoAddress}, http.StatusBadGateway, socks5.HostUnreachable},
		"a slow name":           {&resolveError{host, context.DeadlineExceeded}, http.StatusGatewayTimeout, socks5.TTLExpired},
		"slow":                  {fmt.Errorf("dial: %w", os.ErrDeadlineExceeded), http.StatusGatewayTimeout, socks5.TTLExpired},
		"out of descriptors":    {os.NewSyscallError("socket", syscall.EMFILE), http.StatusServiceUnavailable, socks5.Failure},
		"refused by the proxy":  {&proxyRefusal{"the proxy", http.StatusForbidden, "no"}, http.StatusForbidden, socks5.NotAllowed},
		"failed behind it":      {&proxyRefusal{"the proxy", http.StatusBadGateway, "no"}, http.StatusBadGateway, socks5.Failure},
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

// A listener goes on after errors that say nothing of it.
func TestPasses(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ECONNABORTED: true, syscall.ENOMEM: true,
		syscall.EBADF: false, syscall.EINVAL: false, errors.New("x"): false,
	} {
		if passes(os.NewSyscallError("accept", err)) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
