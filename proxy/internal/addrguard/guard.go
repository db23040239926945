package addrguard

import "net/netip"

// Objection is why an address is not dialled.
type Objection struct {
	kind  string     // "loopback", "private", …
	addr  netip.Addr // the address as it was found
	inner netip.Addr // the address it embeds, when that is what is objected to
	Final bool       // no rule on the name's exact spelling would help
}

// String returns "loopback address 127.0.0.1" or
// "64:ff9b::7f00:1, which embeds loopback address 127.0.0.1".
func (o *Objection) String() string {
	if o.inner.IsValid() {
		return o.addr.String() + ", which embeds " + o.kind + " address " + o.inner.String()
	}
	return o.kind + " address " + o.addr.String()
}

// Guard judges addresses. The zero Guard holds them against the built-in
// ranges and the addresses of the host's interfaces. Its methods may be called
// from any goroutine.
type Guard struct {
	Denied    []netip.Prefix               // refused on top of the built-in ranges
	HostAddrs func() ([]netip.Addr, error) // this host's own addresses; nil is net.InterfaceAddrs

	host hostAddrs
}

// Judge judges an address that is about to be dialled for a name, and returns
// nil when it passes. wildcard is set when only a wildcard allowed the name:
// then private ranges are refused too. An error means that it could not tell:
// this host's addresses could not be listed.
func (g *Guard) Judge(a netip.Addr, wildcard bool) (*Objection, error) {
	own, err := g.host.list(g.HostAddrs)
	if err != nil {
		return nil, err
	}
	a = a.Unmap().WithZone("")
	if o := g.object(a, own, wildcard); o != nil {
		return o, nil
	}
	for _, inner := range Embedded(a) {
		if o := g.object(inner, own, wildcard); o != nil {
			o.addr, o.inner = a, inner
			return o, nil
		}
	}
	return nil, nil
}

func (g *Guard) object(a netip.Addr, own []netip.Addr, wildcard bool) *Objection {
	if !a.IsValid() {
		return &Objection{kind: "invalid", addr: a, Final: true}
	}
	if p, denied := g.DeniedBy(a); denied {
		return &Objection{kind: "denied (" + p.String() + " in deniedResolvedAddresses)", addr: a, Final: true}
	}
	for _, r := range neverDialled {
		if r.Contains(a) {
			return &Objection{kind: r.kind, addr: a, Final: true}
		}
	}
	for _, h := range own {
		if h == a {
			return &Objection{kind: "this host's own", addr: a, Final: true}
		}
	}
	if wildcard {
		for _, r := range privateRanges {
			if r.Contains(a) {
				return &Objection{kind: "private", addr: a}
			}
		}
	}
	return nil
}

// DeniedBy returns the range of Denied that has the address, which is unmapped
// and without zone; false when none has.
func (g *Guard) DeniedBy(a netip.Addr) (netip.Prefix, bool) {
	for _, p := range g.Denied {
		if p.Contains(a) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}
