package launcher

import (
	"fmt"
	"slices"

	"srun/policy"
)

// forwardPorts are the ports of the sandbox's 127.0.0.1 that lead to the
// host's: those of --forward, and every localhost:PORT that is allowed, for
// clients do not use a proxy towards localhost. The proxy judges each
// connection, so that one which a deny rule refuses is reported.
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
		if port != 0 && !slices.Contains(ports, port) {
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

// forwarder returns the rule of --forward for a port, "" when there is none.
func forwarder(n *policy.Network, port uint16) (rule string, source policy.Source) {
	for _, f := range n.Forward {
		if f.Port == port {
			return fmt.Sprint("--forward ", port), f.Source
		}
	}
	return "", policy.Source{}
}
