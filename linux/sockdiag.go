//go:build linux

package linux

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"srun/linux/internal/procfs"
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

// bindPlace is the inode that a socket is bound to, as the kernel lists it: the
// number cut to 32 bits, and the file system's device as major<<20|minor.
type bindPlace struct{ ino, dev uint32 }

// kernelDevice is the device of a file system as the kernel knows it. That of
// stat(2) is another where a file system makes one up, as btrfs does for each
// subvolume (major 0); /proc/PID/mountinfo has the true one.
func kernelDevice(pid, fd int, st *unix.Stat_t) uint32 {
	dev := unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)
	if unix.Major(st.Dev) != 0 {
		return dev
	}
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return dev
	}
	id := procfs.Field(info, "mnt_id")
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return dev
	}
	for line := range strings.Lines(string(mounts)) {
		var major, minor uint32
		fields := strings.Fields(line)
		if len(fields) > 2 && fields[0] == id {
			fmt.Sscanf(fields[2], "%d:%d", &major, &minor)
			return major<<20 | minor
		}
	}
	return dev
}

// find looks through all listening sockets; complete tells whether it could.
func (d *sockDiag) find(at bindPlace) (found, complete bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 || unix.Sendto(d.fd, diagRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return false, false
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(d.fd, buf, 0)
		if err != nil || n == 0 {
			return false, false
		}
		hit, done := scanDiag(buf[:n], at)
		found = found || hit
		if done {
			return found, true
		}
	}
}

// nobodyListens tells whether the inode is no socket of srun's own network
// namespace either. It decides how a refusal is worded and nothing more.
func nobodyListens(at bindPlace) bool {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return false
	}
	host := sockDiag{fd: fd}
	defer host.close()
	listening, complete := host.find(at)
	return complete && !listening
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
func scanDiag(b []byte, at bindPlace) (hit, done bool) {
	ne := binary.NativeEndian
	for len(b) >= unix.SizeofNlMsghdr {
		length, kind := int(ne.Uint32(b)), ne.Uint16(b[4:])
		if length < unix.SizeofNlMsghdr || length > len(b) {
			return hit, true
		}
		if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return hit, true
		}
		hit = hit || hasInode(b[unix.SizeofNlMsghdr:length], at)
		b = b[min(len(b), (length+3)&^3):]
	}
	return hit, false
}

// hasInode looks for the attribute with the inode that the socket is bound to.
func hasInode(b []byte, at bindPlace) bool {
	const diagMsg = 16 // struct unix_diag_msg
	ne := binary.NativeEndian
	if len(b) < diagMsg {
		return false
	}
	for b = b[diagMsg:]; len(b) >= 4; {
		length, kind := int(ne.Uint16(b)), ne.Uint16(b[2:])
		if length < 4 || length > len(b) {
			return false
		}
		if kind == unixDiagVFS && length >= 12 {
			return (bindPlace{ino: ne.Uint32(b[4:]), dev: ne.Uint32(b[8:])}) == at
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return false
}
