package dialing

import (
	"net/netip"
	"slices"
	"testing"
)

func TestAlternate(t *testing.T) {
	var in, want []netip.Addr
	for _, a := range []string{"::1", "::2", "::3", "1.1.1.1", "2.2.2.2"} {
		in = append(in, netip.MustParseAddr(a))
	}
	for _, a := range []string{"::1", "1.1.1.1", "::2", "2.2.2.2", "::3"} {
		want = append(want, netip.MustParseAddr(a))
	}
	if got := alternate(in); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
