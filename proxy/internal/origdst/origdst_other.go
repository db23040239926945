//go:build !linux

package origdst

import (
	"errors"
	"net"
	"net/netip"
)

var errNoTransparent = errors.New("transparent connections: only Linux tells where a redirected connection was going")

// Supported fails: only Linux tells where a redirected connection was going.
func Supported() error { return errNoTransparent }

// Of fails as Supported does.
func Of(net.Conn) (netip.AddrPort, error) {
	return netip.AddrPort{}, errNoTransparent
}
