package launcher

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"srun/policy"
)

// socketRules are the host's Unix sockets that may be connected to.
func socketRules(n *policy.Network) (rules []Rule) {
	for _, r := range n.UnixSockets {
		at := r.Path
		if r.At != "" {
			at += " at " + r.At
		}
		mechanism := "broker"
		if r.Missing {
			mechanism = "not there now"
		}
		rules = append(rules, rule("allow unix-socket", at, source(r.Source), mechanism))
	}
	return rules
}

// networkRules explains the network half, which is the proxy's on every OS.
func networkRules(p *policy.Policy, isolation string) []Rule {
	n := &p.Network
	switch n.Mode {
	case policy.ModeNone:
		return []Rule{{Effect: "deny network", Target: "*", Mechanism: isolation, Grant: mode(n.Mode)}}
	case policy.ModeHost:
		return []Rule{{Effect: "allow network", Target: "*", Mechanism: "none", Grant: mode(n.Mode)}}
	}
	var rules []Rule
	for _, r := range n.Deny {
		rules = append(rules, rule("deny network", r.Pattern.String(), source(r.Source), "proxy"))
	}
	for _, r := range n.Allow {
		rules = append(rules, rule("allow network", r.Pattern.String(), source(r.Source), "proxy"))
	}
	for _, r := range n.DeniedResolvedAddresses {
		rules = append(rules, rule("deny address", r.Prefix.String(), source(r.Source), "proxy"))
	}
	for i := range n.Rules {
		effect, what, _ := strings.Cut(n.Rules[i].String(), " ")
		rules = append(rules, rule(effect+" request", what, source(n.Rules[i].Source), "proxy"))
	}
	for _, r := range n.Publish {
		rules = append(rules, rule("publish", fmt.Sprintf("%s to %d", r.Addr, r.Inner), source(r.Source), "proxy"))
	}
	for _, r := range n.Forward {
		rules = append(rules, rule("forward", fmt.Sprint(r.Port), source(r.Source), "proxy"))
	}
	rest := "ask network"
	if n.Strict {
		rest = "deny network"
	}
	return append(rules, rule(rest, "*", "default", "proxy, "+isolation))
}

func mode(m policy.Mode) policy.Grant {
	return policy.Grant{Kind: policy.GrantNetwork, Value: string(m)}
}

// rule is one whose origin is known by a name.
func rule(effect, target, source, mechanism string) Rule {
	return Rule{Effect: effect, Target: target, Source: source, Mechanism: mechanism}
}

func source(s policy.Source) string { return cmp.Or(s.String(), "default") }

func environmentRules(p *policy.Policy) []Rule {
	var rules []Rule
	for _, list := range []struct {
		effect string
		rules  []policy.EnvRule
	}{{"deny variable", p.Environment.Unset}, {"allow variable", p.Environment.Allow}, {"deny variable", p.Environment.Deny}} {
		for _, r := range list.rules {
			rules = append(rules, rule(list.effect, r.Glob, source(r.Source), "environment"))
		}
	}
	return rules
}

// Explain returns the rules of a policy and the very operations that would
// apply them here. It runs nothing.
func Explain(p *policy.Policy) ([]Rule, error) {
	work := Work{Policy: p, Dir: p.Dir, Trust: p.Network.TLSTerminate != nil && filtered(p)}
	if p.Filesystem.Caches != policy.CachesOff {
		work.Layers = hostCaches(p, os.Environ())
	}
	plan, err := hostBackend.Plan(work)
	if err != nil {
		return nil, err
	}
	return plan.Rules(), nil
}

// settingRules are the settings that are no lists, and the environment's.
func settingRules(p *policy.Policy) []Rule {
	var rules []Rule
	for _, s := range p.Scalars {
		rules = append(rules, rule("setting", s.Key+" = "+s.Value, source(s.Source), "srun"))
	}
	return append(rules, environmentRules(p)...)
}
