package launcher

import (
	"fmt"
	"io"
	"net"
	"slices"

	"srun/policy"
)

// forwardPorts are the ports of the sandbox's 127.0.0.1 that lead to the
// host's: those of --forward, and every localhost:PORT that is allowed, for
// clients do not use a proxy towards localhost.
func forwardPorts(n *policy.Network) []uint16 {
	if n.Mode == policy.ModeNone || n.Mode == policy.ModeHost {
		return nil
	}
	localhost, err := policy.ParseHost("localhost")
	if err != nil {
		return nil
	}
	var ports []uint16
	add := func(port uint16) {
		d := n.Domains().Decide(policy.HostPort{Host: localhost, Port: port})
		if port != 0 && d.Verdict != policy.Denied && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	for _, f := range n.Forward {
		add(f.Port)
	}
	for _, r := range n.Allow {
		if r.Pattern.MatchHost(localhost) {
			add(r.Pattern.Port())
		}
	}
	return ports
}

// forward serves one port until its listener closes.
func forward(l net.Listener, port uint16) {
	for {
		inside, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer inside.Close()
			var d net.Dialer
			d.SetMultipathTCP(false)
			host, err := d.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				inside.(*net.TCPConn).SetLinger(0) // as refused as it can still be
				return
			}
			defer host.Close()
			join(inside.(*net.TCPConn), host.(*net.TCPConn))
		}()
	}
}

// join copies both ways, each end of file in turn.
func join(a, b *net.TCPConn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(a, b)
		a.CloseWrite()
	}()
	io.Copy(b, a)
	b.CloseWrite()
	<-done
}
