package policy

import "strings"

// Environment says which variables the command gets.
type Environment struct {
	Deny  []EnvRule // withheld; the defaults come last
	Allow []EnvRule // handed on although a default denies them
	Set   []EnvVar  // --env
	Unset []EnvRule // --unset-env
}

// EnvRule covers the variables whose name its glob matches: * is any run of
// characters and ? one. Case counts, except in the defaults.
type EnvRule struct {
	Glob   string
	Source Source
	Reason string // why a default is there, else ""
}

// EnvVar is one --env flag: a value, or the caller's own value to hand on.
type EnvVar struct {
	Name   string
	Value  string
	Pass   bool // no value was given
	Source Source
}

// Filter returns the command's variables out of srun's own, both as
// "NAME=value". The order is: --unset-env and environment.deny withhold, then
// --env and environment.allow hand on, then the defaults withhold. A value
// given by --env replaces all others of its name.
func (e Environment) Filter(environ []string) []string {
	kept := make([]string, 0, len(environ)+len(e.Set))
	for _, kv := range environ {
		name, _, ok := strings.Cut(kv, "=")
		if ok && name != "" && !e.Sets(name) && e.passes(name) {
			kept = append(kept, kv)
		}
	}
	for _, v := range e.Set {
		if !v.Pass {
			kept = append(kept, v.Name+"="+v.Value)
		}
	}
	return kept
}

// Withheld returns the rule that keeps the named variable from the command,
// and false when it is handed on.
func (e Environment) Withheld(name string) (EnvRule, bool) {
	if r, ok := matchEnv(e.Unset, name); ok {
		return r, true
	}
	if r, ok := e.denied(name); ok {
		return r, true
	}
	if _, ok := matchEnv(e.Allow, name); ok || e.handsOn(name) {
		return EnvRule{}, false
	}
	return matchEnv(e.Deny, name)
}

func (e Environment) passes(name string) bool {
	_, withheld := e.Withheld(name)
	return !withheld
}

// denied looks for a rule that the user or an administrator wrote.
func (e Environment) denied(name string) (EnvRule, bool) {
	if r, ok := matchEnv(e.Deny, name); ok && r.Source.Tier != TierDefault {
		return r, true
	}
	return EnvRule{}, false
}

// Sets tells whether --env gives the named variable a value.
func (e Environment) Sets(name string) bool {
	for _, v := range e.Set {
		if v.Name == name && !v.Pass {
			return true
		}
	}
	return false
}

func (e Environment) handsOn(name string) bool {
	for _, v := range e.Set {
		if v.Name == name && v.Pass {
			return true
		}
	}
	return false
}

func matchEnv(rules []EnvRule, name string) (EnvRule, bool) {
	upper := ""
	for _, r := range rules {
		subject := name
		if r.Source.Tier == TierDefault {
			if upper == "" {
				upper = strings.ToUpper(name)
			}
			subject = upper
		}
		if wildcard(r.Glob, subject) {
			return r, true
		}
	}
	return EnvRule{}, false
}

// wildcard matches * and ? against the whole of s, in linear time for one *
// and never worse than len(glob)*len(s).
func wildcard(glob, s string) bool {
	star, retry := -1, 0
	g, i := 0, 0
	for i < len(s) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, retry = g, i
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == s[i]):
			g++
			i++
		case star >= 0:
			retry++
			g, i = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
