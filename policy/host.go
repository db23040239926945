package policy

import "net/netip"

// Host is a validated network name: a DNS name or an IP address, in the one
// spelling that matching, DNS, dialling, SNI and logs share. Hosts compare
// with ==.
type Host struct {
	name string
	addr netip.Addr
}
