package proxy

import (
	"net/netip"

	"srun/policy"
	"srun/proxy/internal/http1"
)

// target is where a connection is to go: a name, an address or the host's
// loopback. Which of them is decided once, by targetOf, where a request enters;
// afterwards the target is asked. Targets compare with ==. The zero target is no
// target.
type target struct {
	policy.HostPort // port 0 is any port, as in DNS
	kind            targetKind
}

type targetKind uint8

const (
	aName     targetKind = iota
	anAddress            // that the command named itself
	theHost              // localhost, the one name that means the host's loopback
)

// The addresses of localhost.
var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// targetOf is the border: it decides what a host and port are.
func targetOf(hp policy.HostPort) target {
	if _, ok := hp.Host.Addr(); ok {
		return target{hp, anAddress}
	}
	if hp.Host == policy.Localhost {
		return target{hp, theHost}
	}
	return target{hp, aName}
}

// parseTarget reads "host:port", strictly.
func parseTarget(s string) (target, error) {
	hp, err := policy.ParseHostPort(s)
	return targetOf(hp), err
}

// parseAuthority reads "host:port" or "host", where usual is the port.
func parseAuthority(s string, usual uint16) (target, error) {
	hp, err := http1.ParseAuthority(s, usual)
	return targetOf(hp), err
}

// targetAt is the target of who connects to an address.
func targetAt(a netip.AddrPort) target {
	return targetOf(policy.HostPort{Host: policy.HostFromAddr(a.Addr()), Port: a.Port()})
}

// hostAt is a port of the host's loopback.
func hostAt(port uint16) target {
	return target{policy.HostPort{Host: policy.Localhost, Port: port}, theHost}
}

// address returns the address, and false for a name and the host's loopback.
func (to target) address() (netip.Addr, bool) {
	if to.kind != anAddress {
		return netip.Addr{}, false
	}
	return to.Host.Addr()
}

// literal reports that no name was given that another could be fronted by: an
// address, or the host's loopback.
func (to target) literal() bool { return to.kind != aName }

// mayBeHost reports an address that localhost stands for. A program that looks
// localhost up has one in hand when it connects.
func (to target) mayBeHost() bool {
	a, ok := to.address()
	return ok && (a == loopback4 || a == loopback6)
}

// spellings are the hosts that stand for one: localhost and its addresses do for
// each other.
func (to target) spellings() []policy.HostPort {
	if to.kind != theHost && !to.mayBeHost() {
		return []policy.HostPort{to.HostPort}
	}
	return []policy.HostPort{
		{Host: policy.Localhost, Port: to.Port},
		{Host: policy.HostFromAddr(loopback4), Port: to.Port},
		{Host: policy.HostFromAddr(loopback6), Port: to.Port},
	}
}

// String returns "example.com:443", and "example.com" for any port.
func (to target) String() string {
	if to.Port == 0 {
		return to.Host.String()
	}
	return to.HostPort.String()
}
