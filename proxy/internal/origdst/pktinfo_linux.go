package origdst

import (
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TellDestination makes a UDP socket tell, with each datagram, the address that
// it was sent to, and lets replies leave from it. Inside the sandbox a local
// route makes every address ours; IPv6 sends from one that no interface has
// only with IPV6_FREEBIND (ipv6(7), ip(7)).
func TellDestination(udp *net.UDPConn) error {
	raw, err := udp.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		s := int(fd)
		if family, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && family == unix.AF_INET6 {
			unix.SetsockoptInt(s, unix.SOL_IPV6, unix.IPV6_FREEBIND, 1)
			failed = unix.SetsockoptInt(s, unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1)
			return
		}
		unix.SetsockoptInt(s, unix.SOL_IP, unix.IP_FREEBIND, 1)
		failed = unix.SetsockoptInt(s, unix.SOL_IP, unix.IP_PKTINFO, 1)
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt IP_PKTINFO", failed)
}

// ReplyFrom turns the control message of a query into that of its reply: from
// the address the query was sent to, by any interface. It returns nil when the
// message does not tell: the kernel chooses then.
func ReplyFrom(oob []byte) []byte {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo:
			got := (*unix.Inet4Pktinfo)(unsafe.Pointer(&m.Data[0]))
			return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: got.Addr})
		case m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
			got := (*unix.Inet6Pktinfo)(unsafe.Pointer(&m.Data[0]))
			return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: got.Addr})
		}
	}
	return nil
}

// Truncated reports, by the flags of a received datagram, that it was longer
// than the buffer.
func Truncated(flags int) bool { return flags&unix.MSG_TRUNC != 0 }
