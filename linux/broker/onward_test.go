//go:build linux

package broker

import (
	"encoding/binary"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// A connect that a signal interrupted may be begun again (SA_RESTART), and then it
// succeeds. Had it been waited for in between, there would be a connection already.
func TestBeginConnect(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
	addr = binary.BigEndian.AppendUint16(addr, uint16(l.Addr().(*net.TCPAddr).Port))
	addr = append(addr, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	for name, test := range map[string]struct {
		begin func(sock int)
		want  unix.Errno
	}{
		"begun":      {func(sock int) { beginConnect(sock, addr) }, 0},
		"waited for": {func(sock int) { impatient(sock, addr, &unix.Timeval{}) }, unix.EISCONN}, // the control
	} {
		sock, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !isFresh(sock, unix.AF_INET) || isFresh(sock, unix.AF_INET6) {
			t.Error("a new socket is none that is to be connected")
		}
		test.begin(sock)
		if isFresh(sock, unix.AF_INET) {
			t.Errorf("%s: nothing was begun", name)
		}
		if got := rawAddress(unix.SYS_CONNECT, sock, addr); got != test.want {
			t.Errorf("%s: connect: %v; want %v", name, got, test.want)
		}
		if flags, err := unix.FcntlInt(uintptr(sock), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("%s: the socket's flags are %#x, %v", name, flags, err)
		}
		unix.Close(sock)
	}
}
