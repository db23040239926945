//go:build linux

package main

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The sandbox's own addresses, in the ranges of the proxy's synthetic answers and
// below the first that it gives out.
var (
	own4 = netip.MustParseAddr("198.18.0.1")
	own6 = netip.MustParseAddr("fd5f:7372:756e::1")
)

const loopbackIndex = 1

// loopback gives the loopback interface addresses and routes every address of the
// world to it.
func loopback() []bytesOf {
	return []bytesOf{
		{"add_address4", "an address of lo that is not a loopback address", address(unix.AF_INET, own4)},
		{"add_address6", "the same of IPv6", address(unix.AF_INET6, own6)},
		{"any_local4", "ip route add local 0.0.0.0/0 dev lo, ip-route(8)", anyLocal(unix.AF_INET)},
		{"any_local6", "ip route add local ::/0 dev lo", anyLocal(unix.AF_INET6)},
	}
}

// address is one that is there without a search for others that have it.
func address(family int, addr netip.Addr) []byte {
	msg := nl.NewIfAddrmsg(family)
	msg.Prefixlen, msg.Flags, msg.Index = uint8(addr.BitLen()), unix.IFA_F_NODAD, loopbackIndex
	return serialize(unix.RTM_NEWADDR, msg,
		nl.NewRtAttr(unix.IFA_LOCAL, addr.AsSlice()), nl.NewRtAttr(unix.IFA_ADDRESS, addr.AsSlice()))
}

func anyLocal(family int) []byte {
	msg := nl.NewRtMsg()
	msg.Family, msg.Table, msg.Scope, msg.Type = uint8(family), unix.RT_TABLE_LOCAL, unix.RT_SCOPE_HOST, unix.RTN_LOCAL
	return serialize(unix.RTM_NEWROUTE, msg, nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(loopbackIndex)))
}

func serialize(kind int, parts ...nl.NetlinkRequestData) []byte {
	r := nl.NewNetlinkRequest(kind, unix.NLM_F_CREATE|unix.NLM_F_ACK)
	r.Seq = sequence
	for _, part := range parts {
		r.AddData(part)
	}
	return r.Serialize()
}

// sequence is every message's number: answers are counted.
const sequence = 1
