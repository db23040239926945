package addrguard

import (
	"net/netip"
	"testing"
)

// An address that passes is in no range that is refused, nor is what it embeds;
// and how it is written makes no difference.
func FuzzJudge(f *testing.F) {
	for _, s := range []string{"198.51.100.1", "127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:db8::5efe:a00:1", "64:ff9b:1:0:7f:0:100::", "fd5f:7372:756e::1"} {
		a := netip.MustParseAddr(s)
		f.Add(a.AsSlice(), true)
		f.Add(a.AsSlice(), false)
	}
	guard := Guard{HostAddrs: func() ([]netip.Addr, error) { return nil, nil }}
	f.Fuzz(func(t *testing.T, b []byte, wildcard bool) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		objection, err := guard.Judge(a, wildcard)
		if err != nil {
			t.Fatal(err)
		}
		for _, same := range []netip.Addr{a.Unmap(), netip.AddrFrom16(a.As16()), a.WithZone("x")} {
			if other, _ := guard.Judge(same, wildcard); (other == nil) != (objection == nil) {
				t.Errorf("%s: %v, and %s: %v", a, objection, same, other)
			}
		}
		if objection != nil {
			if objection.String() == "" {
				t.Errorf("%s: no reason", a)
			}
			return
		}
		for _, form := range append(Embedded(a.Unmap()), a.Unmap()) {
			if form.IsLoopback() || form.IsLinkLocalUnicast() || form.IsMulticast() || form.IsUnspecified() || wildcard && form.IsPrivate() {
				t.Errorf("%s passes, and is %s", a, form)
			}
		}
	})
}
