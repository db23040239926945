//go:build linux

package main

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Where a header has its destination, by nft(8)'s expressions.
type destination struct {
	family   byte
	at, size uint32
	loopback []byte // the begin of what stays
}

var (
	destination4 = destination{unix.NFPROTO_IPV4, 16, 1, []byte{127}}
	destination6 = destination{unix.NFPROTO_IPV6, 24, 16, netip.IPv6Loopback().AsSlice()}
)

// redirection sends TCP that is not to loopback and not to port 53, which has
// listeners of its own, to one port. The rule for IPv6 is apart: a kernel may have
// none.
func redirection(to, dns uint16) ([]bytesOf, error) {
	messages, err := batch(to, dns)
	if err != nil {
		return nil, err
	}
	if len(messages) != 6 {
		return nil, fmt.Errorf("%d messages of nftables; want begin, table, chain, two rules, end", len(messages))
	}
	parts := []bytesOf{
		{name: "redirect4", what: "nft: the table, its chain, and the rule for IPv4"},
		{name: "redirect6", what: "the rule for IPv6"},
		{name: "redirect_end", what: "and the end of the batch"},
	}
	for i, m := range messages {
		part := &parts[max(i-3, 0)]
		m.Header.Sequence = sequence
		m.Header.Flags &^= netlink.Echo
		b, err := m.MarshalBinary()
		if err != nil {
			return nil, err
		}
		part.bytes = append(part.bytes, b...)
	}
	return parts, nil
}

// batch is what package nftables would send.
func batch(to, dns uint16) (messages []netlink.Message, err error) {
	conn, err := nftables.New(nftables.WithTestDial(func(req []netlink.Message) ([]netlink.Message, error) {
		messages = append(messages, req...)
		return req, nil
	}))
	if err != nil {
		return nil, err
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "srun"})
	chain := conn.AddChain(&nftables.Chain{
		Name: "out", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	for _, d := range []destination{destination4, destination6} {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: d.redirect(to, dns)})
	}
	return messages, conn.Flush()
}

func (d destination) redirect(to, dns uint16) []expr.Any {
	const register = 1
	is := func(op expr.CmpOp, data []byte) expr.Any { return &expr.Cmp{Op: op, Register: register, Data: data} }
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: register}, is(expr.CmpOpEq, []byte{d.family}),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register}, is(expr.CmpOpEq, []byte{unix.IPPROTO_TCP}),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: d.at, Len: d.size},
		is(expr.CmpOpNeq, d.loopback),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		is(expr.CmpOpNeq, binaryutil.BigEndian.PutUint16(dns)),
		&expr.Immediate{Register: register, Data: binaryutil.BigEndian.PutUint16(to)},
		&expr.Redir{RegisterProtoMin: register},
	}
}
