//go:build linux

package box

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// An init that says that it is ready, and is in srun's own network.
func TestEscapeSharedNetwork(t *testing.T) {
	for _, own := range []bool{true, false} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		in := &sandboxInit{pid: os.Getpid(), hostNetwork: !own}
		if in.sock, err = newWaiter(pair[0], "init"); err != nil {
			t.Fatal(err)
		}
		if err := unix.Send(pair[1], message{kind: msgReady}.encode(), 0); err != nil {
			t.Fatal(err)
		}
		if _, _, err := in.ready(); (err != nil) != own {
			t.Errorf("network of its own wanted: %v; %v", own, err)
		}
		in.closeNamespaces()
		in.sock.close()
		unix.Close(pair[1])
	}
}
