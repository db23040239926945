package fakedns

import (
	"fmt"
	"net/netip"
	"testing"

	"srun/policy"
)

// An address never passes to a second name, not even when the table is full.
func TestNameTable(t *testing.T) {
	var table Table
	seen := make(map[netip.Addr]policy.Host, 2*maxNames)
	for i := range maxNames + 10 {
		h, err := policy.ParseHost(fmt.Sprintf("n%d.test", i))
		if err != nil {
			t.Fatal(err)
		}
		a4, a6, ok := table.Assign(h)
		if ok != (i < maxNames) {
			t.Fatalf("name %d: %v", i, ok)
		}
		if !ok {
			continue
		}
		for _, a := range []netip.Addr{a4, a6} {
			if other, taken := seen[a]; taken || !FakeV4.Contains(a) && !FakeV6.Contains(a) {
				t.Fatalf("%s got %s of %s", h, a, other)
			}
			seen[a] = h
			if back, ok := table.Lookup(a); !ok || back != h {
				t.Fatalf("%s is %s, not %s", a, back, h)
			}
		}
	}
	for _, a := range []string{"198.18.0.0", "198.18.0.15", "198.19.255.255", "fd5f:7372:756e::", "fd5f:7372:756e:0:1::10", "192.0.2.1", "::1"} {
		if h, ok := table.Lookup(netip.MustParseAddr(a)); ok {
			t.Errorf("%s is %s", a, h)
		}
	}
}
