package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Matches reports whether the rule covers a request by method and path. The
// method counts in upper case. The path has no query and is decoded; a final
// slash does not count. "*", which asks about the server itself, has no path.
//
// What a deny rule names it names in any letter case, for some servers take
// /Admin for /admin; an allow rule allows what it spells.
func (r *RequestRule) Matches(method, path string) bool {
	if len(r.Methods) > 0 && !slices.Contains(r.Methods, strings.ToUpper(method)) {
		return false
	}
	if len(r.Paths) == 0 {
		return true
	}
	return path != "*" && slices.ContainsFunc(r.Paths, func(glob string) bool { return r.matchesPath(glob, path) })
}

func (r *RequestRule) matchesPath(glob, path string) bool {
	if r.Action == Denied {
		glob, path = strings.ToLower(glob), strings.ToLower(path)
	}
	matched, err := doublestar.Match(withoutSlash(glob), withoutSlash(path))
	return matched || err != nil && r.Action == Denied
}

func withoutSlash(path string) string {
	if len(path) > 1 {
		return strings.TrimSuffix(path, "/")
	}
	return path
}

// String returns the rule in one line, "deny github.com POST /*/*.git/**".
func (r *RequestRule) String() string {
	action := "allow"
	if r.Action == Denied {
		action = "deny"
	}
	words := []string{action, r.Host.String()}
	if len(r.Methods) > 0 {
		words = append(words, strings.Join(r.Methods, ","))
	}
	return strings.Join(append(words, r.Paths...), " ")
}

// mayBeTLS reports whether the rule is about https: it names no port, or one
// of https. At any other the proxy passes plain HTTP, which it sees, and refuses
// TLS that it does not open.
func (r *RequestRule) mayBeTLS() bool {
	switch r.Host.Port() {
	case 0, 443, 8443:
		return true
	}
	return false
}

// unreachable returns why the rule cannot be enforced, and what to do about
// it, or "".
func (n *Network) unreachable(r *RequestRule) (why, hint string) {
	if !r.mayBeTLS() {
		return "", ""
	}
	if n.TLSTerminate == nil {
		return fmt.Sprintf("a rule for %s cannot be enforced on https without network.tlsTerminate", r.Host),
			fmt.Sprintf(`set "tlsTerminate": {}, or name the port of plain HTTP, as in "%s"`, r.Host.withPort(80))
	}
	for _, e := range n.TLSTerminate.ExcludeDomains {
		if overlap(r.Host, e.Pattern) {
			return fmt.Sprintf("a rule for %s cannot be enforced on %s, which tlsTerminate.excludeDomains leaves closed", r.Host, e.Pattern),
				"take it out of one of the two"
		}
	}
	return "", ""
}

func (p Pattern) withPort(port uint16) string {
	text, _ := pattern{p.kind, port, p.name(), p.prefix()}.format()
	return text
}

// overlap reports whether some host at some port is covered by both patterns.
func overlap(a, b Pattern) bool {
	if a.port != 0 && b.port != 0 && a.port != b.port {
		return false
	}
	if a.kind == patternPrefix || b.kind == patternPrefix {
		return a.kind == b.kind && a.prefix().Overlaps(b.prefix())
	}
	return a.coversBase(b) || b.coversBase(a)
}

// coversBase reports whether p covers the names that q stands for, of which one
// is as good as another.
func (p Pattern) coversBase(q Pattern) bool {
	name := q.name()
	if q.kind == patternSuffix {
		name = "x." + name
	}
	return p.kind == patternAny || p.MatchHost(Host{name: name})
}

// requestRules adds an error for each rule that would not be enforced on every
// connection to its host.
func (u *unsupported) requestRules(n *Network, can Capabilities) {
	for i := range n.Rules {
		r := &n.Rules[i]
		if !can.RequestRules {
			u.when(true, r.Source, "network.rules", "a rule for "+r.Host.String())
		} else if why, hint := n.unreachable(r); why != "" {
			u.errs = append(u.errs, &Error{File: r.Source.File, Line: r.Source.Line, Key: "network.rules", Msg: why, Hint: hint})
		}
	}
}
