package policy

import (
	"fmt"
	"strings"
	"testing"
)

func domainRules(t testing.TB, flag, patterns string) []DomainRule {
	t.Helper()
	var rules []DomainRule
	for _, s := range strings.Fields(patterns) {
		rules = append(rules, DomainRule{Pattern: mustPattern(t, s), Source: Source{Tier: TierFlag, Flag: flag}, Reason: "because"})
	}
	return rules
}

func domains(t testing.TB, allow, deny string) *Domains {
	t.Helper()
	return NewDomains(domainRules(t, "--allow-domain", allow), domainRules(t, "--deny-domain", deny))
}

func TestDecide(t *testing.T) {
	for _, tt := range []struct {
		allow, deny, host string
		want              string // verdict, rule and marks
	}{
		{"", "", "example.com:443", "undecided"},
		{"example.com", "", "example.com:443", "allowed example.com"},
		{"example.com", "example.com", "example.com:443", "denied example.com"},
		{"example.com", "*.com.example *", "example.com:443", "denied *"},
		{"*.example.com", "", "www.example.com:443", "allowed *.example.com wildcard"},
		{"*.example.com www.example.com", "", "www.example.com:443", "allowed www.example.com"},
		{"*.example.com * *.a.example.com", "", "b.a.example.com:443", "allowed *.a.example.com wildcard"},
		{"*.example.com", "www.example.com", "www.example.com:443", "denied www.example.com"},
		{"*.example.com", "", "example.com:443", "undecided"},
		{"*.example.com", "", "notexample.com:443", "undecided"},
		{"*", "", "192.0.2.1:443", "undecided"},
		{"*", "", "localhost:8080", "undecided"},
		{"* localhost:8080", "", "localhost:8080", "allowed localhost:8080 exact"},
		{"localhost:8080", "", "localhost:8081", "undecided"},
		{"localhost:8080", "*", "localhost:8080", "denied *"},
		{"example.com:443 example.com:80", "", "example.com:80", "allowed example.com:80"},
		{"example.com:443", "", "example.com:80", "undecided"},
		{"example.com:443 example.com", "", "example.com:443", "allowed example.com"},
		{"example.com", "example.com:25", "example.com:25", "denied example.com:25"},
		{"example.com", "example.com:25", "example.com:443", "allowed example.com"},
		{"*", "*:25", "example.com:25", "denied *:25"},
		{"10.0.0.0/8", "*:25", "10.1.2.3:25", "denied *:25"},
		{"10.0.0.0/8", "*:25", "10.1.2.3:26", "allowed 10.0.0.0/8"},
		{"10.1.2.3", "*", "10.1.2.3:25", "denied *"},
		{"2001:db8::1", "*", "[2001:db8::1]:25", "denied *"},
		{"10.1.2.3", "*.example.com", "10.1.2.3:25", "allowed 10.1.2.3 exact"},
		{"10.0.0.0/8", "", "10.1.2.3:80", "allowed 10.0.0.0/8"},
		{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3:80", "denied 10.1.0.0/16"},
		{"10.1.2.3", "10.0.0.0/8", "10.1.2.3:80", "denied 10.0.0.0/8"},
		{"10.1.2.3", "", "10.1.2.3:80", "allowed 10.1.2.3 exact"},
		{"10.0.0.0/8 10.1.2.3", "", "10.1.2.3:80", "allowed 10.1.2.3 exact"},
		{"10.1.2.3:443", "", "10.1.2.3:80", "undecided"},
		{"0x7f.1", "", "127.0.0.1:80", "allowed 127.0.0.1 exact"},
		{"0.0.0.0/0", "2130706433", "127.0.0.1:80", "denied 127.0.0.1"},
		{"::/0", "", "10.0.0.1:80", "undecided"},
		{"::/0", "", "[2001:db8::1]:80", "allowed ::/0"},
		{"EXAMPLE.com.", "", "example.COM.:443", "allowed example.com"},
	} {
		got := show(domains(t, tt.allow, tt.deny).Decide(mustHostPort(t, tt.host)))
		if got != tt.want {
			t.Errorf("allow %q deny %q: Decide(%s) = %q; want %q", tt.allow, tt.deny, tt.host, got, tt.want)
		}
	}
}

func TestDecideHost(t *testing.T) {
	for _, tt := range []struct{ allow, deny, host, want string }{
		{"example.com:443", "", "example.com", "allowed example.com:443"},
		{"*.example.com:443", "", "www.example.com", "allowed *.example.com:443 wildcard"},
		{"*:443", "", "example.com", "allowed *:443 wildcard"},
		{"example.com", "example.com:25", "example.com", "allowed example.com"},
		{"example.com:25", "example.com:25", "example.com", "undecided"},
		{"example.com:25 example.com:26", "example.com:25", "example.com", "allowed example.com:26"},
		{"example.com:25", "*", "example.com", "denied *"},
		{"10.0.0.0/8:80", "", "10.0.0.1", "allowed 10.0.0.0/8:80"},
		{"10.0.0.0/8:80", "*", "10.0.0.1", "denied *"},
		{"10.0.0.0/8:80", "*:80", "10.0.0.1", "undecided"},
		{"*:80", "", "localhost", "undecided"},
		{"", "", "example.com", "undecided"},
	} {
		h, err := ParseHost(tt.host)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(domains(t, tt.allow, tt.deny).DecideHost(h)); got != tt.want {
			t.Errorf("allow %q deny %q: DecideHost(%s) = %q; want %q", tt.allow, tt.deny, h, got, tt.want)
		}
	}
}

func TestDecisionNamesItsSource(t *testing.T) {
	dec := domains(t, "", "example.com").Decide(mustHostPort(t, "example.com:443"))
	if dec.Source.String() != "--deny-domain" || dec.Reason != "because" {
		t.Errorf("Decide = %+v; want the flag and the reason", dec)
	}
	if d := NewDomains(nil, domainRules(t, "", "a.example")); !d.Empty() {
		t.Error("Empty = false without an allow rule")
	}
	var zero Domains
	if dec := zero.Decide(mustHostPort(t, "example.com:443")); dec.Verdict != Undecided {
		t.Errorf("the zero Domains decides %v", dec)
	}
}

func FuzzDomains(f *testing.F) {
	f.Add("*.example.com", "www.example.com:443", "www.example.com:443")
	f.Add("10.0.0.0/8", "10.0.0.1", "10.0.0.1:80")
	f.Add("localhost:1", "*", "localhost:1")
	f.Fuzz(func(t *testing.T, allow, deny, authority string) {
		a, errA := ParsePattern(allow)
		d, errD := ParsePattern(deny)
		hp, errH := ParseHostPort(authority)
		if errA != nil || errD != nil || errH != nil {
			return
		}
		lists := NewDomains([]DomainRule{{Pattern: a}}, []DomainRule{{Pattern: d}})
		dec := lists.Decide(hp)
		_, literal := hp.Host.Addr()
		everything := literal && strings.HasPrefix(d.String(), "*") && !strings.HasPrefix(d.String(), "*.") && (d.Port() == 0 || d.Port() == hp.Port)
		if denied := d.Match(hp) || everything; denied != (dec.Verdict == Denied) {
			t.Errorf("deny %q matches %q: %v, but the decision is %v", d, hp, denied, dec.Verdict)
		}
		if dec.Verdict == Allowed && !a.Match(hp) {
			t.Errorf("allow %q does not match %q, yet it is allowed", a, hp)
		}
		if byHost := lists.DecideHost(hp.Host); dec.Verdict == Allowed && byHost.Verdict != Allowed {
			t.Errorf("%q is allowed, but its host is %v", hp, byHost.Verdict)
		}
	})
}

func TestDecideDoesNotAllocate(t *testing.T) {
	d := domains(t, "*.example.com:443 10.0.0.0/8", "bad.example.com")
	for _, s := range []string{"a.b.example.com:443", "bad.example.com:1", "10.1.1.1:80", "other.example:1"} {
		hp := mustHostPort(t, s)
		if n := testing.AllocsPerRun(100, func() { d.Decide(hp) }); n != 0 {
			t.Errorf("Decide(%s) allocates %v times", s, n)
		}
	}
}

func BenchmarkDecideMillion(b *testing.B) {
	var allow, deny []DomainRule
	for i := range 500_000 {
		allow = append(allow, DomainRule{Pattern: mustPattern(b, fmt.Sprintf("host%d.example.com", i))})
		deny = append(deny, DomainRule{Pattern: mustPattern(b, fmt.Sprintf("*.zone%d.example.net:443", i))})
	}
	deny = append(deny, domainRules(b, "", "10.0.0.0/8 192.168.0.0/16 2001:db8::/32 198.51.100.7")...)
	d := NewDomains(allow, deny)
	for _, s := range []string{
		"host77777.example.com:443", "a.b.zone4242.example.net:443", "a.b.c.d.unlisted.example.org:443", "203.0.113.9:443",
	} {
		hp := mustHostPort(b, s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Decide(hp)
			}
		})
	}
}

func show(d Decision) string {
	s := d.Verdict.String()
	if d.Rule != "" {
		s += " " + d.Rule
	}
	if d.Wildcard {
		s += " wildcard"
	}
	if d.Exact {
		s += " exact"
	}
	return s
}
