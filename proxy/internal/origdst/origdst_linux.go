package origdst

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv6/ip6_tables.h, which x/sys does
// not have. IPv4's has the same number at level SOL_IP.
const ip6tOriginalDst = 80

// Supported returns nil: Linux tells where a connection was going.
func Supported() error { return nil }

// Of returns where a connection was going: what it was redirected from
// (netfilter remembers), else its own local address, which a local route to
// everything leaves as the client chose it. The address is unmapped and without
// zone. It fails on what is not TCP, or closed.
func Of(conn net.Conn) (netip.AddrPort, error) {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, errors.New("original destination: not a TCP connection")
	}
	own := unmapPort(local.AddrPort())
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return own, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return own, err
	}
	var dest netip.AddrPort
	var errno error
	if err := raw.Control(func(fd uintptr) { dest, errno = redirectedFrom(fd, own.Addr().Is4()) }); err != nil {
		return own, err
	}
	// ENOENT: not tracked. ENOPROTOOPT: no NAT in this network namespace.
	if errno != nil {
		return own, nil
	}
	return dest, nil
}

func redirectedFrom(fd uintptr, is4 bool) (netip.AddrPort, error) {
	level, option := unix.SOL_IPV6, ip6tOriginalDst
	if is4 {
		level, option = unix.SOL_IP, unix.SO_ORIGINAL_DST
	}
	var addr unix.RawSockaddrInet6 // the larger of the two
	size := uint32(unsafe.Sizeof(addr))
	_, _, errno := syscall.Syscall6(unix.SYS_GETSOCKOPT, fd, uintptr(level), uintptr(option),
		uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return netip.AddrPort{}, errno
	}
	if is4 {
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(&addr))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), networkOrder(&a.Port)), nil
	}
	return netip.AddrPortFrom(netip.AddrFrom16(addr.Addr), networkOrder(&addr.Port)), nil
}

// networkOrder reads a port as a sockaddr holds it.
func networkOrder(port *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(port))[:])
}

func unmapPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
