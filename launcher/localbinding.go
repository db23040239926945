package launcher

import (
	"fmt"
	"net"
	"slices"
	"time"

	"srun/policy"
	"srun/proxy"
)

// bindingPoll is how often the command's own ports are looked at for
// allowLocalBinding: a port is published within this time.
const bindingPoll = 100 * time.Millisecond

// mostBound bounds the ports published for the command's binding them.
const mostBound = 512

const localBindingKey = "network.allowLocalBinding"

// localBinding publishes what the command serves on the sandbox's localhost
// under the same port of the host's 127.0.0.1, until the run ends.
type localBinding struct {
	c     *Cmd
	ports func() []uint16
	dial  func(port uint16) (net.Conn, error)
	open  map[uint16]net.Listener // nil for a port that is not to be had
	told  map[uint16]bool         // of those, once each
}

// follow looks until the command has ended.
func (b *localBinding) follow() {
	b.open, b.told = make(map[uint16]net.Listener), make(map[uint16]bool)
	tick := time.NewTicker(bindingPoll)
	defer tick.Stop()
	for {
		select {
		case <-b.c.ended.Done():
			b.keep(nil)
			return
		case <-tick.C:
			b.keep(b.ports())
		}
	}
}

// keep opens and closes until the ports are those that are served.
func (b *localBinding) keep(served []uint16) {
	for port, l := range b.open {
		if !slices.Contains(served, port) {
			delete(b.open, port)
			if l != nil {
				l.Close()
			}
		}
	}
	for _, port := range served {
		if _, known := b.open[port]; known || len(b.open) >= mostBound || b.published(port) {
			continue
		}
		l, err := listenHost(fmt.Sprintf("127.0.0.1:%d", port))
		b.open[port] = l
		if err != nil {
			b.open[port] = nil
			if !b.told[port] {
				b.told[port] = true
				b.c.warn("allowLocalBinding: port %d is not published: %v", port, err)
			}
			continue
		}
		go b.c.serveOnePublished(publishedPort{l, proxy.Published{Port: port, Rule: localBindingKey, Source: b.source()}}, b.dial)
	}
}

// source is where the key stands.
func (b *localBinding) source() policy.Source {
	for _, s := range b.c.Policy.Scalars {
		if s.Key == localBindingKey {
			return s.Source
		}
	}
	return policy.Source{}
}

// published reports that a rule of the policy has the host's port.
func (b *localBinding) published(port uint16) bool {
	return slices.ContainsFunc(b.c.Policy.Network.Publish, func(r policy.PublishRule) bool {
		return r.Addr.Port() == port
	})
}
