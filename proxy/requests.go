package proxy

import (
	"slices"
	"strings"

	"srun/policy"
	"srun/proxy/internal/http1"
	"srun/proxy/internal/oneline"
)

// ruleList says what may be requested of hosts that are allowed.
type ruleList []policy.RequestRule

// request is what rules look at.
type request struct {
	method string
	target string // path and query, or "*"
	fields http1.Fields
}

// ruled reports that rules speak of one of the hosts. Then only HTTP passes
// there, for nothing else can be held to them.
func (all ruleList) ruled(hosts ...target) bool {
	return len(all) > 0 && slices.ContainsFunc(hosts, func(to target) bool {
		return len(all.of(to)) > 0
	})
}

// of returns the rules that cover a host, under any of its spellings.
func (all ruleList) of(to target) (found []*policy.RequestRule) {
	for i := range all {
		r := &all[i]
		if slices.ContainsFunc(to.spellings(), r.Host.Match) {
			found = append(found, r)
		}
	}
	return found
}

// judge holds a request against the rules of every host that it may be
// for: the one that was connected to and those that it names itself.
func (all ruleList) judge(g grant, r request, hosts ...target) *Denial {
	if len(all) == 0 {
		return nil
	}
	for i, to := range hosts {
		if slices.Contains(hosts[:i], to) {
			continue
		}
		if d := judgeBy(all.of(to), r); d != nil {
			return d.about(g, r)
		}
	}
	return nil
}

// refusal is why rules refuse a request.
type refusal struct {
	rule   *policy.RequestRule // nil when none decided
	reason string
}

func (f *refusal) about(g grant, r request) *Denial {
	d := newDenial(g.target, policy.Decision{}, CodeMethodPolicy, f.reason)
	d.Method = oneline.Printable(r.method)
	d.Path, _, _ = strings.Cut(r.target, "?") // the query may hold a secret
	d.Path = oneline.Quote(d.Path)
	if f.rule != nil {
		d.Rule, d.Source = f.rule.String(), f.rule.Source
	}
	return d
}

// judgeBy applies the rules of one host: a deny rule wins; where there is an
// allow rule, one of them must match.
func judgeBy(rules []*policy.RequestRule, r request) *refusal {
	if len(rules) == 0 {
		return nil
	}
	path := ""
	if slices.ContainsFunc(rules, func(rule *policy.RequestRule) bool { return len(rule.Paths) > 0 }) {
		var f *refusal
		if path, f = plainPath(r); f != nil {
			return f
		}
	}
	for _, method := range r.methods() {
		if f := judgeMethod(rules, method, path); f != nil {
			return f
		}
	}
	return nil
}

func judgeMethod(rules []*policy.RequestRule, method, path string) *refusal {
	var mustAllow, allowed bool
	for _, rule := range rules {
		matches := rule.Matches(method, path)
		switch {
		case rule.Action == policy.Denied && matches:
			return &refusal{rule, "denied by network.rules: " + rule.String()}
		case rule.Action == policy.Allowed:
			mustAllow, allowed = true, allowed || matches
		}
	}
	if mustAllow && !allowed {
		return &refusal{nil, "no rule of network.rules allows it"}
	}
	return nil
}

// plainPath returns the path, or refuses what servers may take for another.
func plainPath(r request) (string, *refusal) {
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL"} {
		if len(r.values(name)) > 0 {
			return "", &refusal{nil, "network.rules name paths, and " + name + " names another"}
		}
	}
	path, err := http1.RequestPath(r.target)
	if err != nil {
		return "", &refusal{nil, "network.rules name paths, and servers may read this one in two ways: " + err.Error()}
	}
	return path, nil
}

// methods returns the request's method and those that some servers take in its
// place.
func (r request) methods() []string {
	all := []string{r.method}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		all = append(all, r.values(name)...)
	}
	return all
}

// values returns those of every field that a server may take for one of that
// name: CGI and its heirs make one of the hyphen and the underscore.
func (r request) values(name string) (found []string) {
	for _, f := range r.fields {
		if strings.EqualFold(strings.ReplaceAll(f.Name, "_", "-"), name) {
			found = append(found, f.Value)
		}
	}
	return found
}
