package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// denyReadings returns the rules of one entry of a deny list: the rule itself
// and, where a directory or file is named with the brackets or braces of a glob
// ("[WIP] p", "{{name}}"), those in which they are that name. A deny is read
// widely: who names such a directory means it.
func denyReadings(rule PathRule) []PathRule {
	if !rule.Glob {
		return []PathRule{rule}
	}
	r := readings{}
	r.add("", true, strings.Split(strings.TrimPrefix(rule.Path, "/"), "/"))
	all := []PathRule{rule}
	for _, path := range r.found {
		one := rule
		one.Path = path
		if plain, ok := unescapeGlob(path); ok {
			one.Path, one.Glob, one.Literal = plain, false, true
		}
		if path != rule.Path && (one.Literal || doublestar.ValidatePattern(path)) {
			all = append(all, one)
		}
	}
	return all
}

// readWidely is denyReadings of each.
func readWidely(rules []PathRule) []PathRule {
	if !slices.ContainsFunc(rules, func(r PathRule) bool { return r.Glob }) {
		return rules
	}
	all := make([]PathRule, 0, len(rules))
	for _, rule := range rules {
		all = append(all, denyReadings(rule)...)
	}
	return all
}

// mostReadings bounds what one entry becomes.
const mostReadings = 16

type readings struct{ found []string }

// add goes through the components that are left. plain says that the pattern so
// far matches one path alone, so that it can be looked at what is there.
func (r *readings) add(before string, plain bool, rest []string) {
	if len(r.found) == mostReadings {
		return
	}
	if len(rest) == 0 {
		r.found = append(r.found, before)
		return
	}
	component := rest[0]
	if literal := escapeBrackets(component); literal != component && r.mayBe(before, plain, literal) {
		_, one := unescapeGlob(literal)
		r.add(before+"/"+literal, plain && one, rest[1:])
	}
	_, one := unescapeGlob(component)
	r.add(before+"/"+component, plain && one, rest[1:])
}

// mayBe reports whether something of that name is there, or may be: below other
// wildcards nobody looks.
func (r *readings) mayBe(before string, plain bool, literal string) bool {
	path, ok := unescapeGlob(before + "/" + literal)
	if !plain || !ok {
		return true
	}
	_, err := os.Lstat(filepath.Clean(path))
	return err == nil
}

// escapeBrackets makes brackets and braces of a pattern's component mean
// themselves.
func escapeBrackets(component string) string {
	var b strings.Builder
	for i := 0; i < len(component); i++ {
		switch c := component[i]; c {
		case '\\':
			b.WriteByte(c)
			if i++; i == len(component) {
				return b.String()
			}
			b.WriteByte(component[i])
			continue
		case '[', ']', '{', '}':
			b.WriteByte('\\')
		}
		b.WriteByte(component[i])
	}
	return b.String()
}

// unescapeGlob returns the one path that a pattern matches, and false for a
// pattern with wildcards.
func unescapeGlob(pattern string) (path string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.IndexByte(wildcards, pattern[i]) >= 0:
			return "", false
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String(), true
}
