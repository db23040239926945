package addrguard

import (
	"net/netip"

	"srun/proxy/internal/fakedns"
)

// addressRange is a range with the word for it in a denial.
type addressRange struct {
	netip.Prefix
	kind string
}

// neverDialled are the addresses that no name may resolve to. Cloud metadata
// services outside link-local are those of AWS, Google, Oracle, Alibaba, Azure,
// Tencent and Scaleway.
var neverDialled = []addressRange{
	v4(0, 0, 0, 0, 8, "unspecified"), // 0.0.0.0 reaches the host itself; RFC 791
	v4(127, 0, 0, 0, 8, "loopback"),
	v4(169, 254, 169, 254, 32, "cloud metadata"),
	v4(169, 254, 170, 2, 32, "cloud metadata"),
	v4(100, 100, 100, 200, 32, "cloud metadata"),
	v4(168, 63, 129, 16, 32, "cloud metadata"),
	v4(192, 0, 0, 192, 32, "cloud metadata"),
	v4(169, 254, 0, 0, 16, "link-local"),
	v4(224, 0, 0, 0, 4, "multicast"),
	v4(255, 255, 255, 255, 32, "broadcast"),
	v4(240, 0, 0, 0, 4, "reserved"),
	{fakedns.FakeV4, "synthetic"},
	{fakedns.FakeV6, "synthetic"},
	v6([]byte{15: 0}, 128, "unspecified"),
	v6([]byte{15: 1}, 128, "loopback"),
	v6([]byte{0xfd, 0x00, 0x0e, 0xc2, 14: 0x02, 15: 0x54}, 128, "cloud metadata"),
	v6([]byte{0xfd, 0x20, 0x00, 0xce, 14: 0x02, 15: 0x54}, 128, "cloud metadata"),
	v6([]byte{0xfd, 0x00, 0x00, 0x42, 15: 0x42}, 128, "cloud metadata"),
	v6([]byte{0xfe, 0x80}, 10, "link-local"),
	v6([]byte{0xff}, 8, "multicast"),
	v6([]byte{0x20, 0x01, 0x00, 0x00}, 32, "Teredo"), // a tunnel to any host that runs it, RFC 4380
	v6([]byte{0x20, 0x01, 0x00, 0x10}, 28, "ORCHID"), // names of keys and no addresses, RFC 4843
	v6([]byte{0x20, 0x01, 0x00, 0x20}, 28, "ORCHID"), // RFC 7343
	v6([]byte{0x01, 0x00}, 64, "discard-only"),       // RFC 6666
}

// privateRanges are refused when only a wildcard allowed the name.
var privateRanges = []addressRange{
	v4(10, 0, 0, 0, 8, "private"),
	v4(172, 16, 0, 0, 12, "private"),
	v4(192, 168, 0, 0, 16, "private"),
	v4(100, 64, 0, 0, 10, "private"),      // carrier-grade NAT, RFC 6598
	v4(192, 0, 0, 0, 24, "private"),       // protocol assignments, RFC 6890
	v6([]byte{0xfc}, 7, "private"),        // unique local, RFC 4193
	v6([]byte{0xfe, 0xc0}, 10, "private"), // site-local, RFC 3879
	v6([]byte{0x20, 0x01}, 23, "private"), // protocol assignments, RFC 2928

	v6([]byte{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "private"), // a site's own NAT64, RFC 8215
}

func v4(a, b, c, d byte, bits int, kind string) addressRange {
	return addressRange{netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits), kind}
}

func v6(lead []byte, bits int, kind string) addressRange {
	var a [16]byte
	copy(a[:], lead)
	return addressRange{netip.PrefixFrom(netip.AddrFrom16(a), bits), kind}
}
