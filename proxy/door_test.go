package proxy

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"srun/policy"
)

// Every door asks the same: what a rule decides is decided alike, and where the
// rules are silent each does what is its own.
func TestDoors(t *testing.T) {
	yes := func(context.Context, Question) Answer { return AllowOnce }
	nobody := func(c *Config) {}
	asking := func(c *Config) { c.Ask = yes }
	strict := func(c *Config) { c.Ask, c.Strict = yes, true }
	custom := func(c *Config) { c.HTTPProxyPort, c.Domains = 3128, nil }
	rule := forwardDoor{by: "--forward 7"}
	for _, test := range []struct {
		config                                  func(*Config)
		to                                      string
		session, dns, forward, forwarded, probe string
	}{
		{nobody, "allowed.test:7", "allowed.test", "allowed.test", "allowed.test", "allowed.test", "allowed.test"},
		{nobody, "denied.test:7", CodeDenylist, CodeDenylist, CodeDenylist, CodeDenylist, CodeDenylist},
		{asking, "denied.test:7", CodeDenylist, CodeDenylist, CodeDenylist, CodeDenylist, CodeDenylist},
		{custom, "other.test:7", "left to the custom proxy", "left to the custom proxy", CodeAllowlist, "--forward 7", "no listener"},
		{nobody, "other.test:7", CodeAllowlist, CodeAllowlist, CodeAllowlist, "--forward 7", "no listener"},
		{strict, "other.test:7", CodeAllowlist, CodeAllowlist, CodeAllowlist, "--forward 7", "no listener"},
		{asking, "other.test:7", "answered yes", "left to the custom proxy", CodeAllowlist, "--forward 7", "no listener"},
		{asking, "127.0.0.1:7", "answered yes", "left to the custom proxy", CodeAllowlist, "--forward 7", "no listener"},
		{asking, "169.254.169.254:7", CodeAddress, "left to the custom proxy", CodeAllowlist, "--forward 7", "no listener"},
	} {
		cfg := Config{Domains: rules(t, "allowed.test", "denied.test")}
		test.config(&cfg)
		s := New(cfg)
		defer s.Close()
		for _, by := range []struct {
			door door
			want string
		}{
			{askingDoor{}, test.session}, {nameDoor{}, test.dns}, {forwardDoor{}, test.forward},
			{rule, test.forwarded}, {probeDoor{}, test.probe},
		} {
			g, err := s.decide.admit(s.ctx, hostPort(t, test.to), by.door)
			got := g.rule()
			if d, ok := errors.AsType[*Denial](err); ok {
				got = d.Code
			} else if err != nil {
				got = err.Error()
			}
			if got != by.want {
				t.Errorf("%s by %T: %s, want %s", test.to, by.door, got, by.want)
			}
		}
	}
}

// A name on any port is allowed when it is on some, whichever door asks.
func TestAdmitAnyPort(t *testing.T) {
	s := New(Config{Domains: rules(t, "ported.test:8080 some.test:80", "some.test:80 none.test")})
	defer s.Close()
	for name, want := range map[string]string{"ported.test": "<nil>", "some.test": CodeAllowlist, "none.test": CodeDenylist, "other.test": CodeAllowlist} {
		host, err := policy.ParseHost(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.decide.admit(s.ctx, targetOf(policy.HostPort{Host: host}), nameDoor{})
		got := fmt.Sprint(err)
		if d, ok := errors.AsType[*Denial](err); ok {
			got = d.Code
			if d.Target != name {
				t.Errorf("%s is denied as %s", name, d.Target)
			}
		}
		if got != want {
			t.Errorf("%s: %+v, %s, want %s", name, g, got, want)
		}
	}
}

// A synthetic address is the name it stands for, by every door.
func TestAdmitNamesSynthetic(t *testing.T) {
	s := New(Config{Domains: rules(t, "allowed.test", "")})
	defer s.Close()
	name, _ := policy.ParseHost("allowed.test")
	a4, a6, _ := s.rules.names.Assign(name)
	for _, a := range []string{a4.String(), "[" + a6.String() + "]"} {
		for _, d := range []door{askingDoor{}, forwardDoor{}, probeDoor{}} {
			g, err := s.decide.admit(s.ctx, hostPort(t, a+":7"), d)
			if err != nil || g.target.String() != "allowed.test:7" || g.target.kind != aName {
				t.Errorf("%s by %T: %+v, %v", a, d, g.target, err)
			}
		}
	}
}
