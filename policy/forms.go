package policy

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tailscale/hujson"
)

// form is how one value is written, whatever setting it is of: in a file and,
// where parse is given, in a flag.
type form[T any] struct {
	one, many string        // "path", "paths"
	schema    func() string // nil: any text

	json   func(value) (T, error)         // nil: what text returns is parsed
	text   func(value) (string, error)    // nil: JSON's text and nothing else
	parse  func(string, place) (T, error) // nil: no flag has it
	names  bool                           // parse's errors name the text themselves
	commas bool                           // a flag's text may be several, with commas between
	piece  func(T) error                  // whether one of several can be meant; nil: it can

	show   func(T) string // in --explain; nil is fmt's
	hidden bool           // not in --explain
}

// place is what a text is read with: relative paths are below base.
type place struct {
	base, home string
	source     Source
}

func (f form[T]) read(v value) (x T, err error) {
	if f.json != nil {
		return f.json(v)
	}
	text := value.text
	if f.text != nil {
		text = f.text
	}
	s, err := text(v)
	if err != nil {
		return x, err
	}
	if x, err = f.parseFlag(s, v.place()); err != nil {
		return x, v.errorf("%w", err)
	}
	return x, nil
}

func (f form[T]) parseFlag(s string, at place) (T, error) {
	x, err := f.parse(s, at)
	if err != nil && !f.names {
		err = fmt.Errorf("%q: %w", clip(s), err)
	}
	return x, err
}

func (v value) place() place { return place{v.r.base, v.r.home, v.source()} }

func boolean() form[bool] {
	return form[bool]{
		one: "true or false", schema: booleanSchema, json: value.bool,
		parse: func(s string, _ place) (bool, error) { return s == "true", nil },
	}
}

func word() form[string] {
	return form[string]{
		one: "text", many: "text",
		parse: func(s string, _ place) (string, error) { return s, nil },
	}
}

func entry() form[Entry] {
	return form[Entry]{
		one: "text", many: "text",
		parse: func(s string, at place) (Entry, error) { return Entry{s, at.source}, nil },
	}
}

func domain() form[DomainRule] {
	return form[DomainRule]{
		one: "domain pattern", many: "domain patterns", names: true, commas: true,
		parse: func(s string, at place) (DomainRule, error) {
			p, err := ParsePattern(s)
			return DomainRule{Pattern: p, Source: at.source}, err
		},
	}
}

// allowedDomain is a domain that an allow list has. What would allow nothing is an
// error, and the loopback addresses are the host's localhost.
func allowedDomain() form[DomainRule] {
	f := domain()
	parse := f.parse
	f.parse = func(s string, at place) (DomainRule, error) {
		rule, err := parse(s, at)
		if err == nil {
			rule.Pattern, err = reachable(rule.Pattern)
		}
		return rule, err
	}
	f.piece = func(rule DomainRule) error {
		if name := rule.Pattern.name(); rule.Pattern.kind == patternName && isPublicSuffix(name) {
			return fmt.Errorf("%q: a public suffix and no host; is the comma before it a dot?", name)
		}
		return nil
	}
	return f
}

// path is a path or a glob; {"path": …, "literal": true} is a path whose
// wildcards are its name.
func path() form[PathRule] {
	return form[PathRule]{
		one: "path", many: "paths",
		schema: func() string { return `{"anyOf": [` + textSchema() + `, ` + objectSchema(pathParts()) + `]}` },
		json:   value.pathRule,
		parse: func(s string, at place) (PathRule, error) {
			rule, err := parsePath(s, at.base, at.home, false)
			rule.Source = at.source
			return rule, err
		},
	}
}

// device is a path below /dev.
func device() form[PathRule] {
	f := path()
	parse := f.parse
	f.one, f.many, f.schema, f.json = "device", "devices", textSchema, nil
	f.parse = func(s string, at place) (PathRule, error) {
		rule, err := parse(s, at)
		if err == nil && (!strings.HasPrefix(rule.Path, "/dev/") || rule.Glob) {
			err = errors.New("not the path of a device, such as /dev/kvm")
		}
		return rule, err
	}
	return f
}

type pathEntry struct {
	path    string
	literal bool
}

func pathParts() []part[pathEntry] {
	return []part[pathEntry]{
		{"path", textSchema, "the path", func(v value, e *pathEntry) (err error) { e.path, err = v.text(); return err }},
		{"literal", booleanSchema, "whether its wildcards are its name", func(v value, e *pathEntry) (err error) {
			e.literal, err = v.bool()
			return err
		}},
	}
}

func (v value) pathRule() (rule PathRule, err error) {
	var e pathEntry
	if _, isObject := v.val.Value.(*hujson.Object); !isObject {
		e.path, err = v.text()
	} else if err = readParts(v, &e, pathParts()); err == nil && e.path == "" {
		err = v.errorf(`the "path" of an entry is missing`)
	}
	if err != nil {
		return rule, err
	}
	if v.r.claude && strings.HasPrefix(e.path, "//") {
		e.path = e.path[1:]
	}
	if rule, err = parsePath(e.path, v.r.base, v.r.home, e.literal); err != nil {
		return rule, v.errorf("%q: %w", clip(e.path), err)
	}
	rule.Source = v.source()
	return rule, nil
}

// oneFile is the path of a file, which is never a glob.
func oneFile() form[string] {
	return form[string]{
		one: "path", many: "paths",
		parse: func(s string, at place) (string, error) {
			rule, err := parsePath(s, at.base, at.home, true)
			return rule.Path, err
		},
	}
}

func variableGlob() form[EnvRule] {
	return form[EnvRule]{
		one: "variable glob", many: "variable globs",
		parse: func(s string, at place) (EnvRule, error) {
			return EnvRule{Glob: s, Source: at.source}, checkEnvGlob(s)
		},
	}
}

func checkEnvGlob(s string) error {
	if s == "" {
		return errors.New("an empty variable name")
	}
	if strings.ContainsAny(s, "=\x00") {
		return errors.New("a variable's name has no '='")
	}
	return nil
}

func addressRange() form[AddressRule] {
	return form[AddressRule]{
		one: "address range", many: "address ranges",
		parse: func(s string, at place) (AddressRule, error) {
			p, err := parseAddressRange(s)
			return AddressRule{p, at.source}, err
		},
	}
}

func parseAddressRange(s string) (netip.Prefix, error) {
	if strings.IndexByte(s, '/') >= 0 {
		return parseCIDR(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, errors.New("not an address range such as 10.0.0.0/8")
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// whole is a whole number from 1 to high; a flag's text has its own parser.
func whole(high int64, parse func(string) (int, error)) form[int] {
	return form[int]{
		one: "number", schema: func() string { return fmt.Sprintf(`{"type": "integer", "minimum": 1, "maximum": %d}`, high) },
		json:  func(v value) (int, error) { return v.int(1, high) },
		parse: func(s string, _ place) (int, error) { return parse(s) },
	}
}

func port() form[int] {
	return whole(math.MaxUint16, func(s string) (int, error) {
		n, err := ParsePort(s)
		return int(n), err
	})
}

// quantity may be written as text or as a plain number.
func quantity[T any](parse func(string) (T, error)) form[T] {
	return form[T]{
		one: "text or number", schema: func() string { return `{"type": ["string", "number"]}` }, text: value.textOrNumber,
		parse: func(s string, _ place) (T, error) { return parse(s) },
	}
}

func proxyURL() form[*url.URL] {
	return form[*url.URL]{
		one: "URL", names: true, show: (*url.URL).Redacted,
		parse: func(s string, _ place) (*url.URL, error) { return ParseProxyURL(s) },
	}
}
