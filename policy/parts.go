package policy

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// part is one key of an object that is the value of a setting, such as one
// rule of network.rules.
type part[T any] struct {
	name   string
	schema func() string
	about  string
	read   func(value, *T) error
}

// objectOf is a value with parts. begin makes it before they are read and finish
// checks the whole.
func objectOf[T any](parts []part[T], begin func(Source) T, finish func(value, *T) error) form[T] {
	return form[T]{
		one: "object", many: "objects", schema: func() string { return objectSchema(parts) },
		json: func(v value) (T, error) {
			x := begin(v.source())
			if err := readParts(v, &x, parts); err != nil {
				return x, err
			}
			return x, finish(v, &x)
		},
	}
}

func readParts[T any](v value, into *T, parts []part[T]) error {
	fields := make([]field, len(parts))
	for i, p := range parts {
		fields[i] = field{p.name, func(v value) error { return p.read(v, into) }}
	}
	return v.object(fields, false)
}

// valuePart reads a part by the form of its value.
func valuePart[T, V any](name, about string, f form[V], where func(*T) *V) part[T] {
	return part[T]{name, f.jsonSchema, about, func(v value, x *T) (err error) {
		*where(x), err = f.read(v)
		return err
	}}
}

// listPart reads a part that is a list.
func listPart[T, V any](name, about string, f form[V], where func(*T) *[]V) part[T] {
	return part[T]{name, func() string { return listSchema(f.jsonSchema()) }, about, func(v value, x *T) error {
		return v.each(f.many, func(e value) error {
			entry, err := f.read(e)
			*where(x) = append(*where(x), entry)
			return err
		})
	}}
}

// unusedPart is a limit of srt's own proxy.
func unusedPart[T any](name string) part[T] {
	p := passed{why: "for srt's own proxy"}
	return part[T]{name, p.schema, p.why, func(v value, _ *T) error { return p.read(v) }}
}

func tlsTerminate() form[TLSTerminate] {
	f := objectOf([]part[TLSTerminate]{
		valuePart("caCertPath", "an authority of your own in PEM", oneFile(), func(t *TLSTerminate) *string { return &t.CACertPath }),
		valuePart("caKeyPath", "its key, which the command cannot read", oneFile(), func(t *TLSTerminate) *string { return &t.CAKeyPath }),
		listPart("excludeDomains", "hosts whose connections stay closed", domain(), func(t *TLSTerminate) *[]DomainRule { return &t.ExcludeDomains }),
		listPart("extraCaCertPaths", "further authorities to verify servers by", oneFile(), func(t *TLSTerminate) *[]string { return &t.ExtraCACertPaths }),
		unusedPart[TLSTerminate]("maxTunnels"),
		unusedPart[TLSTerminate]("handshakeTimeoutMs"),
	}, func(s Source) TLSTerminate { return TLSTerminate{Source: s} }, func(v value, t *TLSTerminate) error {
		if (t.CACertPath == "") != (t.CAKeyPath == "") {
			return v.errorf("caCertPath and caKeyPath go together")
		}
		return nil
	})
	f.show = func(TLSTerminate) string { return "on" }
	return f
}

func request() form[RequestRule] {
	return objectOf([]part[RequestRule]{
		{"host", textSchema, "the hosts it is about", func(v value, r *RequestRule) error {
			rule, err := domain().read(v)
			r.Host = rule.Pattern
			return err
		}},
		listPart("methods", "in upper case; without it, all", method(), func(r *RequestRule) *[]string { return &r.Methods }),
		listPart("paths", "globs; without it, all", urlPath(), func(r *RequestRule) *[]string { return &r.Paths }),
		valuePart("action", "allow or deny", action(), func(r *RequestRule) *Verdict { return &r.Action }),
	}, func(s Source) RequestRule { return RequestRule{Source: s} }, func(v value, r *RequestRule) error {
		switch {
		case r.Host == Pattern{}:
			return v.errorf(`the rule's "host" is missing`)
		case r.Action == Undecided:
			return v.errorf(`the rule's "action" is missing: "allow" or "deny"`)
		}
		return nil
	})
}

func method() form[string] {
	return form[string]{many: "methods", json: func(v value) (string, error) {
		s, err := v.text()
		if err == nil && (s == "" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "") {
			err = v.errorf("%q: not a method in upper case, such as GET", clip(s))
		}
		return s, err
	}}
}

func urlPath() form[string] {
	return form[string]{many: "paths", json: func(v value) (string, error) {
		s, err := v.text()
		switch {
		case err != nil:
		case !strings.HasPrefix(s, "/"):
			err = v.errorf("%q: a path begins with '/'", clip(s))
		default:
			err = v.checkURLPath(s)
		}
		return s, err
	}}
}

// checkURLPath refuses a glob that no request's path could match: the rule would
// be there and do nothing.
func (v value) checkURLPath(s string) error {
	_, query, _ := strings.Cut(s, "?")
	switch {
	case !doublestar.ValidatePattern(s):
		return v.errorf("%q: not a valid glob", clip(s))
	case strings.ContainsAny(s, "%#"):
		return v.errorf("%q: a path is matched decoded, without a fragment: write the characters themselves", clip(s))
	case strings.Contains(query, "="):
		return v.errorf("%q: a path is matched without its query", clip(s))
	}
	return nil
}

func actionSchema() string { return `{"enum": ["allow", "deny"]}` }

func action() form[Verdict] {
	return form[Verdict]{schema: actionSchema, json: func(v value) (Verdict, error) {
		s, err := v.text()
		switch {
		case err != nil:
			return Undecided, err
		case s == "allow":
			return Allowed, nil
		case s == "deny":
			return Denied, nil
		}
		return Undecided, v.errorf(`%q: an action is "allow" or "deny"`, clip(s))
	}}
}

func (r RequestRule) allows() bool { return r.Action == Allowed }
