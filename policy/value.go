package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// reader turns one settings file into a layer.
type reader struct {
	layer *layer
	path  string // the file, absolute
	tier  Tier
	base  string // what relative paths are below
	home  string
	data  []byte

	claude bool // the file is Claude-shaped

	offset, line int // a place in data that was looked up, and its line
}

// value is one JSON value of a file and the key it is at.
type value struct {
	r   *reader
	key string
	val *hujson.Value
}

// field is one key of an object and what reads it.
type field struct {
	name string
	read func(value) error
}

func (v value) source() Source {
	return Source{Tier: v.r.tier, File: v.r.path, Line: v.r.lineAt(v.val.StartOffset)}
}

func (v value) errorf(format string, args ...any) error {
	return v.r.fail(v.val.StartOffset, v.key, "", fmt.Errorf(format, args...))
}

func (r *reader) fail(offset int, key, hint string, err error) error {
	return &Error{File: r.path, Line: r.lineAt(offset), Key: key, Msg: err.Error(), Hint: hint, Err: err}
}

// lineAt counts on from the last place it was asked for: values are read in
// the order they stand in.
func (r *reader) lineAt(offset int) int {
	if offset < r.offset || r.line == 0 {
		r.offset, r.line = 0, 1
	}
	r.line += bytes.Count(r.data[r.offset:offset], []byte{'\n'})
	r.offset = offset
	return r.line
}

func (v value) kind() string {
	switch v.val.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "true or false"
}

func (r *reader) notice(v value, msg string) {
	r.layer.notices = append(r.layer.notices, Notice{Source: v.source(), Msg: msg})
}

func (v value) wrongType(want string) error { return v.errorf("is %s; it takes %s", v.kind(), want) }

func (v value) bool() (bool, error) {
	lit, ok := v.val.Value.(hujson.Literal)
	if !ok || lit.Kind() != 't' && lit.Kind() != 'f' {
		return false, v.wrongType("true or false")
	}
	return lit.Bool(), nil
}

func (v value) text() (string, error) {
	lit, ok := v.val.Value.(hujson.Literal)
	if !ok || lit.Kind() != '"' {
		return "", v.wrongType("text")
	}
	return lit.String(), nil
}

// textOrNumber reads a setting that may be written both ways, such as a size.
func (v value) textOrNumber() (string, error) {
	lit, ok := v.val.Value.(hujson.Literal)
	if !ok || lit.Kind() != '"' && lit.Kind() != '0' {
		return "", v.wrongType("text or a number")
	}
	return lit.String(), nil
}

func (v value) int(low, high int64) (int, error) {
	lit, ok := v.val.Value.(hujson.Literal)
	if !ok || lit.Kind() != '0' {
		return 0, v.wrongType("a number")
	}
	n, err := strconv.ParseInt(string(lit), 10, 64)
	if err != nil || n < low || n > high {
		return 0, v.errorf("%s is not a whole number from %d to %d", clip(string(lit)), low, high)
	}
	return int(n), nil
}

// each calls f with every element of a list; all have the list's key.
func (v value) each(want string, f func(value) error) error {
	list, ok := v.val.Value.(*hujson.Array)
	if !ok {
		return v.wrongType("a list of " + want)
	}
	for i := range list.Elements {
		if err := f(value{v.r, v.key, &list.Elements[i]}); err != nil {
			return err
		}
	}
	return nil
}

// members calls f with every key of an object whose keys are the user's own.
func (v value) members(want string, f func(name string, v value) error) error {
	obj, ok := v.val.Value.(*hujson.Object)
	if !ok {
		return v.wrongType("an object of " + want)
	}
	seen := make(map[string]bool, len(obj.Members))
	for i := range obj.Members {
		m := &obj.Members[i]
		name := m.Name.Value.(hujson.Literal).String()
		if seen[name] {
			return v.r.fail(m.Name.StartOffset, v.key, "", fmt.Errorf("%q is there twice", clip(name)))
		}
		seen[name] = true
		if err := f(name, value{v.r, v.key, &m.Value}); err != nil {
			return err
		}
	}
	return nil
}

// object reads an object that takes the given keys and no other. With loose,
// other keys are skipped.
func (v value) object(fields []field, loose bool) error {
	obj, ok := v.val.Value.(*hujson.Object)
	if !ok {
		return v.wrongType("an object")
	}
	seen := make([]bool, len(fields))
	for i := range obj.Members {
		m := &obj.Members[i]
		name := m.Name.Value.(hujson.Literal).String()
		key := joinKey(v.key, name)
		at := fieldIndex(fields, name)
		switch {
		case at < 0 && loose:
			continue
		case at < 0:
			return v.r.fail(m.Name.StartOffset, clip(key), v.suggest(name, fields), errors.New("unknown key"))
		case seen[at]:
			return v.r.fail(m.Name.StartOffset, key, "", errors.New("the key is there twice"))
		}
		seen[at] = true
		if err := fields[at].read(value{v.r, key, &m.Value}); err != nil {
			return err
		}
	}
	return nil
}

func fieldIndex(fields []field, name string) int {
	for i := range fields {
		if fields[i].name == name {
			return i
		}
	}
	return -1
}

func joinKey(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// farSlip is how many letters of a key may be otherwise. It is less than what is
// between allow and deny.
const farSlip = 3

// suggest returns "did you mean KEY?" for an unknown key of the object at
// parent, which takes fields: a key of that object that name may be a slip of,
// or the one key of that very name elsewhere, or "".
func (v value) suggest(name string, fields []field) string {
	best, least := "", farSlip+1
	for _, f := range fields {
		d := distance(strings.ToLower(name), strings.ToLower(f.name))
		if d <= max(1, max(len(name), len(f.name))/3) && d < least {
			best, least = joinKey(v.key, f.name), d
		}
	}
	if best == "" {
		best = v.elsewhere(name)
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// elsewhere returns the key that has this name in another object, "" where there
// is none or more than one.
func (v value) elsewhere(name string) (found string) {
	prefix, of := "", ownShape
	if strings.HasPrefix(v.key+".", "sandbox.") {
		prefix, of = "sandbox", claudeSandbox
	}
	for _, s := range table() {
		if s.of&of == 0 || leaf(s.key) != strings.ToLower(name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = joinKey(prefix, s.key)
	}
	return found
}
