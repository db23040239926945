//go:build !linux

package proxy

import (
	"errors"
	"net"
	"net/netip"
)

var errNoTransparent = errors.New("transparent connections: only Linux tells where a redirected connection was going")

func canServeTransparent() error { return errNoTransparent }

func originalDestination(net.Conn) (netip.AddrPort, error) {
	return netip.AddrPort{}, errNoTransparent
}
