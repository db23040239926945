package addrguard

import (
	"net/netip"
	"testing"
)

func TestGuard(t *testing.T) {
	guard := Guard{
		Denied:    []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		HostAddrs: func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("203.0.113.77")}, nil },
	}
	for addr, want := range map[string]string{
		"198.51.100.1":                    "",
		"2001:db8::1":                     "",
		"0.0.0.0":                         "unspecified address 0.0.0.0",
		"0.1.2.3":                         "unspecified address 0.1.2.3",
		"127.0.0.1":                       "loopback address 127.0.0.1",
		"127.255.255.254":                 "loopback address 127.255.255.254",
		"169.254.1.1":                     "link-local address 169.254.1.1",
		"169.254.169.254":                 "cloud metadata address 169.254.169.254",
		"100.100.100.200":                 "cloud metadata address 100.100.100.200",
		"168.63.129.16":                   "cloud metadata address 168.63.129.16",
		"192.0.0.192":                     "cloud metadata address 192.0.0.192",
		"fd00:ec2::254":                   "cloud metadata address fd00:ec2::254",
		"fd20:ce::254":                    "cloud metadata address fd20:ce::254",
		"224.0.0.1":                       "multicast address 224.0.0.1",
		"255.255.255.255":                 "broadcast address 255.255.255.255",
		"240.0.0.1":                       "reserved address 240.0.0.1",
		"198.18.0.1":                      "synthetic address 198.18.0.1",
		"198.19.255.255":                  "synthetic address 198.19.255.255",
		"198.20.0.0":                      "",
		"fd5f:7372:756e::1":               "synthetic address fd5f:7372:756e::1",
		"203.0.113.77":                    "this host's own address 203.0.113.77",
		"192.0.2.5":                       "denied (192.0.2.0/24 in deniedResolvedAddresses) address 192.0.2.5",
		"::":                              "unspecified address ::",
		"::1":                             "loopback address ::1",
		"fe80::1":                         "link-local address fe80::1",
		"fe80::1%eth0":                    "link-local address fe80::1",
		"ff02::1":                         "multicast address ff02::1",
		"::ffff:127.0.0.1":                "loopback address 127.0.0.1",
		"::127.0.0.1":                     "::7f00:1, which embeds loopback address 127.0.0.1",
		"::ffff:0:127.0.0.1":              "::ffff:0:7f00:1, which embeds loopback address 127.0.0.1",
		"64:ff9b::127.0.0.1":              "64:ff9b::7f00:1, which embeds loopback address 127.0.0.1",
		"64:ff9b::169.254.169.254":        "64:ff9b::a9fe:a9fe, which embeds cloud metadata address 169.254.169.254",
		"64:ff9b::198.51.100.1":           "",
		"64:ff9b:1::127.0.0.1":            "64:ff9b:1::7f00:1, which embeds loopback address 127.0.0.1",
		"64:ff9b:1:0:7f:0:100::":          "64:ff9b:1:0:7f:0:100:0, which embeds loopback address 127.0.0.1",
		"2002:7f00:1::1":                  "2002:7f00:1::1, which embeds loopback address 127.0.0.1",
		"2002:c633:6401::1":               "",
		"2001:0:c633:6401::80ff:fffe":     "Teredo address 2001:0:c633:6401::80ff:fffe",
		"2001::f5ff:fffe":                 "Teredo address 2001::f5ff:fffe",
		"2001:0:c633:6401::39cc:9bfe":     "Teredo address 2001:0:c633:6401::39cc:9bfe",
		"2001:10::1":                      "ORCHID address 2001:10::1",
		"2001:2f:ffff::1":                 "ORCHID address 2001:2f:ffff::1",
		"2001:30::1":                      "",
		"2001:200::1":                     "",
		"100::1":                          "discard-only address 100::1",
		"100:0:0:1::1":                    "",
		"2001:db8::5efe:7f00:1":           "2001:db8::5efe:7f00:1, which embeds loopback address 127.0.0.1",
		"2001:db8::200:5efe:203.0.113.77": "2001:db8::200:5efe:cb00:714d, which embeds this host's own address 203.0.113.77",
		"10.0.0.1":                        "",
		"fc00::1":                         "",
	} {
		o, err := guard.Judge(netip.MustParseAddr(addr), false)
		if got := objectionText(o); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", addr, got, err, want)
		}
	}
	for _, addr := range []string{"10.0.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "192.0.0.1", "fc00::1", "fd12::1", "fec0::1", "64:ff9b::10.0.0.1", "2002:a00:1::", "64:ff9b:1::198.51.100.1", "64:ff9b:1:c633:64:100::", "2001:2::1", "2001:1ff::1"} {
		if o, _ := guard.Judge(netip.MustParseAddr(addr), true); o == nil || o.kind != "private" || o.Final {
			t.Errorf("%s by wildcard: %v", addr, objectionText(o))
		}
	}
	for _, addr := range []string{"198.51.100.1", "172.32.0.0", "100.128.0.0", "2001:200::1", "2002:c633:6401::1", "64:ff9b::198.51.100.1"} {
		if o, _ := guard.Judge(netip.MustParseAddr(addr), true); o != nil {
			t.Errorf("%s by wildcard: %v", addr, objectionText(o))
		}
	}
}

func objectionText(o *Objection) string {
	if o == nil {
		return ""
	}
	return o.String()
}

func TestInterfaceAddrs(t *testing.T) {
	addrs, err := interfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if !a.IsValid() || a.Is4In6() {
			t.Errorf("%v", a)
		}
	}
}
