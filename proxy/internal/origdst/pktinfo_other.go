//go:build !linux

package origdst

import (
	"errors"
	"net"
)

// TellDestination fails: a name server for every address exists only on Linux,
// where a local route makes all of them ours.
func TellDestination(*net.UDPConn) error {
	return errors.New("dns: only Linux tells which address a query was sent to")
}

// ReplyFrom knows no address to reply from.
func ReplyFrom([]byte) []byte { return nil }

// Truncated cannot tell.
func Truncated(int) bool { return false }
