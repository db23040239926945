// Package addrguard says which addresses may be dialled for a name, so that no
// name leads into the host: loopback, link-local, cloud metadata, the host's own
// addresses, what is no unicast address, and what embeds one of these for a
// translator or tunnel on the way (NAT64, 6to4, Teredo, ISATAP). For a name that
// only a wildcard allowed, private ranges as well.
//
//	if objection, err := guard.Judge(addr, wildcard); err != nil || objection != nil {
//		// not this one
//	}
//
// The tables are in ranges.go and embedded.go, each line with its RFC or owner.
// An address judged is an address to dial: resolving again would void it.
//
// # Limitations
//
// The host's own addresses are listed at most every two seconds; one that it
// gets meanwhile is dialled. Cloud metadata is known by the published addresses
// of the larger clouds; one behind a DNS name or another address is not known.
// A network-specific NAT64 prefix (RFC 6052) looks as any address does.
package addrguard
