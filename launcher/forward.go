package launcher

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"srun/policy"
)

// forwardPorts are the ports of the sandbox's 127.0.0.1 that lead to the
// host's: those of the policy's Forward, and every localhost:PORT that is allowed, for
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
	for _, port := range policy.PortsOf(n.Allow, localhost) {
		add(port)
	}
	return ports
}

// forwarding is the ports that are forwarded by now: rules that change add some,
// and the proxy refuses those that no rule allows any more.
type forwarding struct {
	mu    sync.Mutex
	ports []uint16
}

func (f *forwarding) start(n *policy.Network) []uint16 {
	f.ports = forwardPorts(n)
	return f.ports
}

// more has a listener made for each port of localhost that rules allow by now.
func (f *forwarding) more(d *policy.Domains, listen func(port uint16) error) (err error) {
	localhost, _ := policy.ParseHost("localhost")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, port := range d.AllowedPorts(localhost) {
		if slices.Contains(f.ports, port) {
			continue
		}
		if e := listen(port); e != nil {
			err = errors.Join(err, fmt.Errorf("forward localhost:%d: %w", port, e))
			continue
		}
		f.ports = append(f.ports, port)
	}
	return err
}

// forwarder returns the rule that forwards a port, "" when there is none.
func (c *Cmd) forwarder(port uint16) (rule string, source policy.Source) {
	for _, f := range c.Policy.Network.Forward {
		if f.Port == port {
			return c.Words.grant(policy.Grant{Kind: policy.GrantForward, Value: fmt.Sprint(port)}), f.Source
		}
	}
	return "", policy.Source{}
}
