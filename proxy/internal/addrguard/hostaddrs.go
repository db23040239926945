package addrguard

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// hostAddrsAge is for this host's own addresses, once listed.
const hostAddrsAge = 2 * time.Second

// hostAddrs is the list of this host's own addresses, kept for a moment: a
// connection burst would otherwise list them for each.
type hostAddrs struct {
	mu    sync.Mutex
	addrs []netip.Addr
	until time.Time
}

func (h *hostAddrs) list(from func() ([]netip.Addr, error)) ([]netip.Addr, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if now.Before(h.until) {
		return h.addrs, nil
	}
	if from == nil {
		from = interfaceAddrs
	}
	addrs, err := from()
	if err != nil {
		return nil, &net.OpError{Op: "list", Net: "host addresses", Err: err}
	}
	h.addrs, h.until = addrs, now.Add(hostAddrsAge)
	return addrs, nil
}

func interfaceAddrs() ([]netip.Addr, error) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, 0, len(nets))
	for _, n := range nets {
		if ipnet, ok := n.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(ipnet.IP); ok {
				addrs = append(addrs, a.Unmap())
			}
		}
	}
	return addrs, nil
}
