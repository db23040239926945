package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// bare is the part of a kind that keeps nothing in a layer of its own and that
// no flag sets.
type bare struct{}

func (bare) arity() arity                                  { return noValue }
func (bare) readFlag(*flagReader, string, Source) error    { return errors.New("no flag sets it") }
func (bare) field(*layer) any                              { return nil }
func (bare) merge(*layer, *layer)                          {}
func (bare) loosens() loosens                              { return never }
func (bare) tighten(*layer) bool                           { return false }
func (bare) lower(*layer, *layer)                          {}
func (bare) scalar(*layer) (text string, _ Source, _ bool) { return "", Source{}, false }

// single is a setting with one value, of which the strongest source's counts.
type single[T any] struct {
	bare
	form  form[T]
	when  loosens // never, always, whenFalse or whenTrue
	where func(*layer) *opt[T]
}

func one[T any](f form[T], when loosens, where func(*layer) *opt[T]) *single[T] {
	return &single[T]{form: f, when: when, where: where}
}

func (k *single[T]) takes() string          { return k.form.one }
func (k *single[T]) schema() string         { return k.form.jsonSchema() }
func (k *single[T]) loosens() loosens       { return k.when }
func (k *single[T]) field(l *layer) any     { return k.where(l) }
func (k *single[T]) merge(l, weaker *layer) { k.where(l).or(*k.where(weaker)) }

func (k *single[T]) read(v value) error {
	source := v.source()
	x, err := k.form.read(v)
	*k.where(v.r.layer) = given(x, source)
	return err
}

func (k *single[T]) arity() arity {
	if _, isBool := any(k).(*single[bool]); isBool {
		return noValue
	}
	return oneValue
}

func (k *single[T]) readFlag(f *flagReader, text string, source Source) error {
	x, err := k.form.parseFlag(text, f.place(source))
	*k.where(f.layer) = given(x, source)
	return err
}

func (k *single[T]) tighten(l *layer) bool {
	o := k.where(l)
	yes, _ := any(o.value).(bool)
	if !o.set || k.when == never || k.when == whenTrue && !yes || k.when == whenFalse && yes {
		return false
	}
	*o = opt[T]{}
	return true
}

func (k *single[T]) scalar(l *layer) (text string, source Source, set bool) {
	o := k.where(l)
	if !o.set || k.form.hidden {
		return "", Source{}, false
	}
	if k.form.show != nil {
		return k.form.show(o.value), o.source, true
	}
	return fmt.Sprint(o.value), o.source, true
}

// limit is a number that untrusted files may lower.
type limit[T cmp.Ordered] struct{ *single[T] }

func limited[T cmp.Ordered](f form[T], where func(*layer) *opt[T]) limit[T] {
	return limit[T]{one(f, lowest, where)}
}

// tighten takes the limit out without a word: lower brings it back.
func (k limit[T]) tighten(l *layer) bool {
	*k.where(l) = opt[T]{}
	return false
}

func (k limit[T]) lower(l, untrusted *layer) {
	o, w := k.where(l), k.where(untrusted)
	if w.set && (!o.set || w.value < o.value) {
		*o = *w
	}
}

// managedSwitch is true or false, and a managed file's alone.
type managedSwitch struct{ *single[bool] }

func managed(where func(*layer) *opt[bool]) managedSwitch {
	return managedSwitch{one(boolean(), never, where)}
}

func (k managedSwitch) takes() string { return k.form.one + ", managed files only" }

func (k managedSwitch) read(v value) error {
	if _, err := v.bool(); err != nil {
		return err
	}
	switch {
	case v.r.tier == TierManaged:
		return k.single.read(v)
	case v.r.claude:
		v.r.notice(v, v.key+" counts in a managed file only: ignored")
		return nil
	}
	return v.errorf("only a managed settings file may set it")
}

// list is a setting whose sources add up.
type list[T any] struct {
	bare
	form  form[T]
	where func(*layer) *[]T
	drops func(T) bool // the entries that loosen; nil is none
	when  loosens
}

// many is a list of which when says what loosens: never or everyEntry.
func many[T any](f form[T], when loosens, where func(*layer) *[]T) *list[T] {
	k := &list[T]{form: f, where: where, when: when}
	if when == everyEntry {
		k.drops = func(T) bool { return true }
	}
	return k
}

// manySome is a list of which the entries loosen that drops says.
func manySome[T any](f form[T], drops func(T) bool, where func(*layer) *[]T) *list[T] {
	return &list[T]{form: f, where: where, drops: drops, when: someEntries}
}

func (k *list[T]) takes() string      { return "list of " + k.form.many }
func (k *list[T]) schema() string     { return listSchema(k.form.jsonSchema()) }
func (k *list[T]) arity() arity       { return manyValues }
func (k *list[T]) loosens() loosens   { return k.when }
func (k *list[T]) field(l *layer) any { return k.where(l) }

func (k *list[T]) read(v value) error {
	into := k.where(v.r.layer)
	return v.each(k.form.many, func(e value) error {
		x, err := k.form.read(e)
		*into = append(*into, x)
		return err
	})
}

func (k *list[T]) readFlag(f *flagReader, text string, source Source) error {
	texts := []string{text}
	if k.form.commas {
		texts = strings.Split(text, ",")
	}
	into := k.where(f.layer)
	for _, one := range texts {
		x, err := k.form.parseFlag(one, f.place(source))
		if err == nil && len(texts) > 1 && k.form.piece != nil {
			err = k.form.piece(x)
		}
		if err != nil {
			return err
		}
		*into = append(*into, x)
	}
	return nil
}

func (k *list[T]) merge(l, weaker *layer) {
	into := k.where(l)
	*into = append(*into, *k.where(weaker)...)
}

func (k *list[T]) tighten(l *layer) bool {
	into := k.where(l)
	before := len(*into)
	if k.drops != nil {
		*into = slices.DeleteFunc(*into, k.drops)
	}
	return len(*into) < before
}

// notProject is a list that a project's files have no say in, trusted or not.
type notProject[T any] struct{ *list[T] }

func (k notProject[T]) takes() string { return k.list.takes() + ", not in project files" }

func (k notProject[T]) read(v value) error {
	if v.r.tier != TierLocal && v.r.tier != TierProject {
		return k.list.read(v)
	}
	v.r.notice(v, v.key+" counts in user and managed settings and as a flag: ignored")
	return nil
}

// pairs is an object whose keys are the user's own.
type pairs[T any] struct {
	*list[T]
	entry func(name string, v value) (T, error)
}

// mapping is pairs whose values are of the form f, and with their keys make
// entries; when is never or everyEntry.
func mapping[V, T any](f form[V], entry func(string, value) (T, error), when loosens, where func(*layer) *[]T) pairs[T] {
	return pairs[T]{many(form[T]{many: f.many, schema: f.schema}, when, where), entry}
}

func (k pairs[T]) takes() string { return "map of text to " + k.form.many }
func (k pairs[T]) schema() string {
	return `{"type": "object", "additionalProperties": ` + k.form.jsonSchema() + `}`
}

func (k pairs[T]) read(v value) error {
	into := k.where(v.r.layer)
	return v.members(k.form.many, func(name string, v value) error {
		x, err := k.entry(name, v)
		if err == nil {
			*into = append(*into, x)
		}
		return err
	})
}

// feed is a key whose value goes into the fields of other settings, and so
// merges and loosens as they do.
type feed struct {
	bare
	words string
	json  func() string
	when  loosens // of what it feeds
	into  func(value) error
}

func (k feed) takes() string      { return k.words }
func (k feed) schema() string     { return k.json() }
func (k feed) loosens() loosens   { return k.when }
func (k feed) read(v value) error { return k.into(v) }

// passed is a key of another program that has nothing to act on in srun: one
// line says so and why, or none where why is "".
type passed struct {
	bare
	words, why string
}

func (k passed) takes() string  { return k.words }
func (k passed) schema() string { return `{}` }

func (k passed) read(v value) error {
	if k.why != "" {
		v.r.layer.unused = append(v.r.layer.unused, unusedKey{v.key, k.why})
	}
	return nil
}

// refused is a key of another program that srun must not pass over.
type refused struct {
	bare
	why string
}

func (k refused) takes() string      { return "nothing" }
func (k refused) schema() string     { return `{"not": {}}` }
func (k refused) read(v value) error { return v.errorf("%s", k.why) }

// unlayered is a switch whose effect is in no layer.
type unlayered struct{ bare }

func (unlayered) takes() string                              { return "true or false" }
func (unlayered) schema() string                             { return booleanSchema() }
func (unlayered) read(v value) error                         { return v.errorf("no file sets it") }
func (unlayered) readFlag(*flagReader, string, Source) error { return nil }
