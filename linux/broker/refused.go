//go:build linux

package broker

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// mostRefused bounds the ports that are remembered.
const mostRefused = 64

// refused are the ports of the sandbox's own loopback at which a connection was
// refused, for nobody listens there: perhaps somebody does outside.
type refused struct {
	mu    sync.Mutex
	ports map[uint16]bool
}

// Refused returns the ports of the sandbox's own loopback at which somebody found
// nobody.
func (b *Broker) Refused() (ports []uint16) {
	b.refused.mu.Lock()
	defer b.refused.mu.Unlock()
	for port := range b.refused.ports {
		ports = append(ports, port)
	}
	return ports
}

// note takes down a connect that was refused.
func (r *refused) note(addr []byte) {
	port := loopbackPort(addr)
	if port == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ports == nil {
		r.ports = map[uint16]bool{}
	}
	if len(r.ports) < mostRefused {
		r.ports[port] = true
	}
}

// hasFailed tells whether a connect that nobody waits for has failed already, as it
// has on the loopback; the error stays the caller's to get.
func hasFailed(sock int) bool {
	fds := []unix.PollFd{{Fd: int32(sock)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLERR != 0
}

// loopbackPort is the port of an address of the loopback (ip(7), ipv6(7)), 0 for any
// other.
func loopbackPort(addr []byte) uint16 {
	switch {
	case family(addr) == unix.AF_INET && len(addr) >= 8 && addr[4] == 127,
		family(addr) == unix.AF_INET6 && len(addr) >= 24 && [16]byte(addr[8:24]) == [16]byte{15: 1}:
		return binary.BigEndian.Uint16(addr[2:4])
	}
	return 0
}
