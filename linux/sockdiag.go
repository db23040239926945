//go:build linux

package linux

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// sockDiag asks the kernel for the Unix sockets of the sandbox's network
// namespace (sock_diag(7)), in which init opened its descriptor. A socket is
// in the namespace of whoever made it: those of the host are never listed.
type sockDiag struct {
	fd int
	mu sync.Mutex
}

func (d *sockDiag) close() { unix.Close(d.fd) }

// From linux/unix_diag.h and linux/sock_diag.h.
const (
	sockDiagByFamily = 20
	udiagShowVFS     = 2
	unixDiagVFS      = 1
	tcpListenState   = 1 << 10
)

// bound tells whether a listening socket of the sandbox is bound to the inode.
// Anything that goes wrong means no.
func (d *sockDiag) bound(st *unix.Stat_t) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 || unix.Sendto(d.fd, diagRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return false
	}
	buf := make([]byte, 32<<10)
	found := false
	for {
		n, _, err := unix.Recvfrom(d.fd, buf, 0)
		if err != nil || n == 0 {
			return false
		}
		hit, done := scanDiag(buf[:n], st)
		found = found || hit
		if done {
			return found
		}
	}
}

// diagRequest is a dump of struct unix_diag_req.
func diagRequest() []byte {
	ne := binary.NativeEndian
	const length = unix.SizeofNlMsghdr + 24
	b := make([]byte, 0, length)
	b = ne.AppendUint32(b, length)
	b = ne.AppendUint16(b, sockDiagByFamily)
	b = ne.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b = ne.AppendUint32(b, 1)                // sequence
	b = ne.AppendUint32(b, 0)                // port
	b = append(b, unix.AF_UNIX, 0, 0, 0)     // family, protocol, pad
	b = ne.AppendUint32(b, tcpListenState)   // states
	b = ne.AppendUint32(b, 0)                // inode: all
	b = ne.AppendUint32(b, udiagShowVFS)     // what to show
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0) // cookie
}

// scanDiag walks one datagram of the answer.
func scanDiag(b []byte, st *unix.Stat_t) (hit, done bool) {
	ne := binary.NativeEndian
	for len(b) >= unix.SizeofNlMsghdr {
		length, kind := int(ne.Uint32(b)), ne.Uint16(b[4:])
		if length < unix.SizeofNlMsghdr || length > len(b) {
			return hit, true
		}
		if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return hit, true
		}
		hit = hit || hasInode(b[unix.SizeofNlMsghdr:length], st)
		b = b[min(len(b), (length+3)&^3):]
	}
	return hit, false
}

// hasInode looks for the attribute with the inode that the socket is bound to.
// The kernel gives its number cut to 32 bits and the device in its own form.
func hasInode(b []byte, st *unix.Stat_t) bool {
	const diagMsg = 16 // struct unix_diag_msg
	ne := binary.NativeEndian
	if len(b) < diagMsg {
		return false
	}
	dev := unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)
	for b = b[diagMsg:]; len(b) >= 4; {
		length, kind := int(ne.Uint16(b)), ne.Uint16(b[2:])
		if length < 4 || length > len(b) {
			return false
		}
		if kind == unixDiagVFS && length >= 12 {
			return ne.Uint32(b[4:]) == uint32(st.Ino) && ne.Uint32(b[8:]) == dev
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return false
}
