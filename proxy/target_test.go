package proxy

import (
	"fmt"
	"net/netip"
	"testing"

	"srun/policy"
)

// What a target is, is decided where it enters, and is the same by every door.
func TestTarget(t *testing.T) {
	for s, want := range map[string]targetKind{
		"example.com:443": aName, "a.localhost:80": aName, "localhost.test:80": aName,
		"localhost:80": theHost, "LocalHost.:80": theHost,
		"127.0.0.1:80": anAddress, "[::1]:80": anAddress, "127.0.0.2:80": anAddress, "192.0.2.1:80": anAddress, "[2001:db8::1]:80": anAddress,
	} {
		to, err := parseTarget(s)
		if err != nil || to.kind != want {
			t.Errorf("%s: kind %d, %v; want %d", s, to.kind, err, want)
		}
		if by, err := parseAuthority(s, 1); err != nil || by != to {
			t.Errorf("%s: %v in Host, %v", s, by, err)
		}
		a, ok := to.address()
		if ok != (want == anAddress) || to.literal() != (want != aName) {
			t.Errorf("%s: address %v, literal %v", s, ok, to.literal())
		}
		if ok && targetAt(netip.AddrPortFrom(a, 80)) != to {
			t.Errorf("%s is another target when it is connected to", s)
		}
	}
	if hostAt(80) != targetOf(policy.HostPort{Host: policy.Localhost, Port: 80}) {
		t.Error("the host's loopback is two targets")
	}
}

// localhost and its two addresses stand for each other in rules on requests.
func TestSpellings(t *testing.T) {
	for s, want := range map[string]string{
		"localhost:80": "[localhost:80 127.0.0.1:80 [::1]:80]", "127.0.0.1:80": "[localhost:80 127.0.0.1:80 [::1]:80]",
		"[::1]:80": "[localhost:80 127.0.0.1:80 [::1]:80]", "127.0.0.2:80": "[127.0.0.2:80]", "example.com:80": "[example.com:80]",
	} {
		if got := fmt.Sprint(hostPort(t, s).spellings()); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}

// The host's loopback is what the rules of localhost decide, by whichever of its
// spellings, and only that.
func TestJudgeHost(t *testing.T) {
	for _, test := range []struct{ allow, deny, target, want string }{
		{"localhost:80", "", "127.0.0.1:80", "localhost:80 allowed"},
		{"localhost:80", "", "[::1]:80", "localhost:80 allowed"},
		{"localhost:80", "", "127.0.0.2:80", "127.0.0.2:80 undecided"},
		{"localhost:80 127.0.0.1", "", "127.0.0.1:80", "127.0.0.1:80 allowed"},
		{"127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80 denied"},
		{"localhost", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:80 denied"},
		{"", "", "127.0.0.1:80", "localhost:80 undecided"},
		{"127.0.0.1", "", "localhost:80", "localhost:80 undecided"},
		{"*", "", "localhost:80", "localhost:80 undecided"},
	} {
		s := New(Config{Domains: rules(t, test.allow, test.deny)})
		to, dec := s.rules.judge(hostPort(t, test.target))
		if got := fmt.Sprint(to, " ", dec.Verdict); got != test.want {
			t.Errorf("allow %q, deny %q: %s is %s, want %s", test.allow, test.deny, test.target, got, test.want)
		}
		if (to.kind == theHost) != (to.Host == policy.Localhost) {
			t.Errorf("%s is of kind %d", to, to.kind)
		}
	}
}

// The certificate for the host's loopback is good for each of its spellings.
func TestTerminationNames(t *testing.T) {
	for s, want := range map[string]string{
		"localhost:443": "[localhost 127.0.0.1 ::1]", "example.com:443": "[example.com]", "[2001:db8::1]:443": "[2001:db8::1]",
	} {
		if got := fmt.Sprint((&termination{site: hostPort(t, s)}).names()); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}
