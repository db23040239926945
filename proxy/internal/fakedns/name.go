package fakedns

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// CutService cuts the labels of a service name (_http._tcp.example.com,
// RFC 2782) off: clients look them up on the way to the name itself.
func CutService(name string) (base string, service bool) {
	for strings.HasPrefix(name, "_") {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		name, service = rest, true
	}
	return name, service
}

// OfType picks, of an IPv4 and an IPv6 address, those of the type that is asked
// for: none for a type other than A, AAAA and ANY.
func OfType(kind dnsmessage.Type, a4, a6 netip.Addr) []netip.Addr {
	switch kind {
	case dnsmessage.TypeA:
		return []netip.Addr{a4}
	case dnsmessage.TypeAAAA:
		return []netip.Addr{a6}
	case dnsmessage.TypeALL:
		return []netip.Addr{a4, a6}
	}
	return nil
}

// ParseReverse reads the address of a name such as 4.0.18.198.in-addr.arpa, in
// lower case and without the final dot (RFC 1035 section 3.5, RFC 3596 section
// 2.5). It returns false for any other name.
func ParseReverse(name string) (netip.Addr, bool) {
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		return parseReverseLabels(rest, 4, 10, 1)
	}
	if rest, ok := strings.CutSuffix(name, ".ip6.arpa"); ok {
		return parseReverseLabels(rest, 32, 16, 2)
	}
	return netip.Addr{}, false
}

// parseReverseLabels reads labels, least significant first, several to a byte.
func parseReverseLabels(s string, labels, base, perByte int) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != labels {
		return netip.Addr{}, false
	}
	b := make([]byte, labels/perByte)
	for at := range labels {
		n, err := strconv.ParseUint(parts[labels-1-at], base, 8/perByte)
		if err != nil {
			return netip.Addr{}, false
		}
		b[at/perByte] = b[at/perByte]<<(8/perByte%8) | byte(n)
	}
	return netip.AddrFromSlice(b)
}
