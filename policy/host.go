package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Host is a validated network name: a DNS name or an IP address, in the one
// spelling that matching, DNS, dialling, SNI and logs share. Hosts compare
// with ==. The zero Host is no host.
//
// A name is lower case, in A-labels, without a trailing dot. An address has no
// zone and is never an IPv4-mapped IPv6 address.
type Host struct {
	name string
	addr netip.Addr
}

// Localhost is the one name that means the host's loopback, see [Decision].
var Localhost = Host{name: "localhost"}

// HostPort is a Host and a TCP or UDP port, 1 to 65535.
type HostPort struct {
	Host Host
	Port uint16
}

// Longest name and label, RFC 1035 section 2.3.4, as text without the final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// ParseHost reads a name or address in any spelling that some resolver takes
// and returns what it means: upper case, one trailing dot, international
// names, brackets round an IPv6 address and the IPv4 spellings of inet_aton(3)
// (0x7f.1, 127.1, 017700000001, 2130706433) are normalised, so that no rule
// can be talked around by spelling. What no spelling rule covers is an error.
//
// A name whose last label is a number is an IPv4 address or an error, as in
// the URL standard.
func ParseHost(s string) (Host, error) {
	h, err := parseHost(s)
	if err != nil {
		return Host{}, fmt.Errorf("host %q: %w", clip(s), err)
	}
	return h, nil
}

// HostFromAddr returns the Host of an address, unmapped and without its zone.
// An invalid address gives the zero Host.
func HostFromAddr(a netip.Addr) Host {
	return Host{addr: a.Unmap().WithZone("")}
}

// String returns "example.com", "192.0.2.1" or "2001:db8::1", which ParseHost
// reads back as the same Host, and "" for the zero Host.
func (h Host) String() string {
	if h.addr.IsValid() {
		return h.addr.String()
	}
	return h.name
}

// Addr returns the address, and false when h is a name.
func (h Host) Addr() (netip.Addr, bool) { return h.addr, h.addr.IsValid() }

// IsZero reports whether h is no host.
func (h Host) IsZero() bool { return h == Host{} }

// ParseHostPort reads an authority as a client sends it in CONNECT, Host or an
// absolute URL. It is strict: the port is there, IPv6 is in brackets, IPv4 is
// four plain decimals, and there is no user name. ParseHost's odd IPv4
// spellings are errors here, for no honest client sends them.
func ParseHostPort(s string) (HostPort, error) {
	hp, err := parseHostPort(s)
	if err != nil {
		return HostPort{}, fmt.Errorf("address %q: %w", clip(s), err)
	}
	return hp, nil
}

// ParsePort reads a decimal port, 1 to 65535, with no sign and no leading zero.
func ParsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '0' || s[0] == '+' {
		return 0, fmt.Errorf("port %q: not a number from 1 to 65535", clip(s))
	}
	return uint16(n), nil
}

// String returns "example.com:443" or "[2001:db8::1]:443".
func (hp HostPort) String() string {
	port := strconv.Itoa(int(hp.Port))
	if hp.Host.addr.Is6() {
		return "[" + hp.Host.addr.String() + "]:" + port
	}
	return hp.Host.String() + ":" + port
}

func parseHostPort(s string) (HostPort, error) {
	if strings.IndexByte(s, '@') >= 0 {
		return HostPort{}, errors.New("has a user name before '@'")
	}
	host, port, err := splitHostPort(s)
	if err != nil {
		return HostPort{}, err
	}
	if port == "" {
		return HostPort{}, errors.New("the port is missing")
	}
	h, err := parseHost(host)
	if err != nil {
		return HostPort{}, err
	}
	if h.addr.Is4() && host[0] != '[' && h.addr.String() != host {
		return HostPort{}, fmt.Errorf("an odd spelling of %s", h.addr)
	}
	n, err := ParsePort(port)
	return HostPort{Host: h, Port: n}, err
}

// splitHostPort cuts "host:port" and "[v6]:port"; the port may be missing, and
// brackets stay on the host.
func splitHostPort(s string) (host, port string, err error) {
	i := strings.LastIndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		switch {
		case end < 0:
			return "", "", errors.New("the closing ']' is missing")
		case end == len(s)-1:
			return s, "", nil
		case s[end+1] != ':':
			return "", "", errors.New("something other than ':' after ']'")
		}
		i = end + 1
	}
	if i < 0 {
		return s, "", nil
	}
	if host = s[:i]; host[:min(1, len(host))] != "[" && strings.IndexByte(host, ':') >= 0 {
		return "", "", errors.New("an IPv6 address needs brackets")
	}
	if i == len(s)-1 {
		return "", "", errors.New("the port is missing")
	}
	return host, s[i+1:], nil
}

// clip bounds a quoted value in an error: what a client sends may be huge.
func clip(s string) string {
	const most = 300
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
