package addrguard

import "net/netip"

// embedding is an IPv6 range whose addresses carry an IPv4 address that a
// translator or tunnel on the way will reach.
type embedding struct {
	netip.Prefix
	at   []int // positions of the four bytes
	flip bool  // each bit inverted, as Teredo does with the client's
}

var tail = []int{12, 13, 14, 15}

var embeddings = []embedding{
	{v6([]byte{15: 0}, 96, "").Prefix, tail, false},                               // IPv4-compatible, RFC 4291
	{v6([]byte{8: 0xff, 9: 0xff, 11: 0}, 96, "").Prefix, tail, false},             // IPv4-translated, RFC 2765
	{v6([]byte{0x00, 0x64, 0xff, 0x9b}, 96, "").Prefix, tail, false},              // NAT64, RFC 6052
	{v6([]byte{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "").Prefix, tail, false},  // local NAT64, RFC 8215
	{v6([]byte{0x20, 0x02}, 16, "").Prefix, []int{2, 3, 4, 5}, false},             // 6to4, RFC 3056
	{v6([]byte{0x20, 0x01, 0x00, 0x00}, 32, "").Prefix, []int{4, 5, 6, 7}, false}, // Teredo's server, RFC 4380, for deniedDomains
	{v6([]byte{0x20, 0x01, 0x00, 0x00}, 32, "").Prefix, tail, true},               // and its client
}

// Embedded returns the IPv4 addresses that an IPv6 address may be a form of:
// none, and without an allocation, for most.
func Embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	var found []netip.Addr
	for _, e := range embeddings {
		if !e.Contains(a) {
			continue
		}
		var v [4]byte
		for i, at := range e.at {
			v[i] = b[at]
			if e.flip {
				v[i] = ^v[i]
			}
		}
		found = append(found, netip.AddrFrom4(v))
	}
	if isatap := b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe; isatap { // RFC 5214
		found = append(found, netip.AddrFrom4([4]byte(b[12:])))
	}
	// A local NAT64 prefix of /64 puts the address behind the "u" byte and zeros
	// behind that. With /48 and /56 the last four bytes are zero: refused above.
	if local := netip.PrefixFrom(a, 48).Masked().Addr(); local == embeddings[3].Addr() && [3]byte(b[13:]) == [3]byte{} {
		found = append(found, netip.AddrFrom4([4]byte(b[9:13])))
	}
	return found
}
