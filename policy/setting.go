package policy

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// setting is one row of the table: all that srun knows of a setting but its
// effect. Parsing, merging, tightening, flags, completion, the schema and the
// manual walk the table, so that a new setting is a row and what it does.
type setting struct {
	key   string // with its dots; "" for what a flag alone sets
	of    shapes
	about string // one line for the manual and the schema
	kind  kind
	flag  flag
}

// flag is the flag that sets a setting; without a name there is none.
type flag struct {
	name  string
	usage string // one line of --help, its value's name in backquotes
}

// shapes say in which settings files a key is read.
type shapes uint8

const (
	ownShape       shapes = 1 << iota // srun's own files, and srt's, which look alike
	claudeSandbox                     // "sandbox" in Claude Code's
	claudeTopLevel                    // beside it
)

const everywhere = ownShape | claudeSandbox

// kind is how a setting's value is read, kept in a layer, merged and tightened.
type kind interface {
	takes() string  // what a file writes, in the manual's words
	schema() string // the same in JSON Schema
	read(value) error

	arity() arity
	readFlag(f *flagReader, text string, source Source) error

	field(*layer) any // a pointer to where it is kept, nil for a kind that keeps nothing of its own
	merge(layer, weaker *layer)
	loosens() loosens
	tighten(*layer) (dropped bool)
	lower(layer, untrusted *layer)
	scalar(*layer) (text string, source Source, set bool) // for --explain
}

// loosens says when a setting may allow more than holds without it. The order
// is that in which a notice names what was dropped.
type loosens int

const (
	never      loosens = iota
	lowest             // a limit: an untrusted one counts where it is lower
	everyEntry         // of a list
	whenFalse
	whenTrue
	always
	someEntries // of a list
	stricter    // an untrusted one counts where it is stricter
)

// arity is how often a flag is given, and with what.
type arity int

const (
	noValue arity = iota // a switch
	oneValue
	manyValues
)

var (
	tableOnce sync.Once
	tableRows []*setting
)

// table returns every setting. It is built at the first call, and not when the
// package is imported.
func table() []*setting {
	tableOnce.Do(func() {
		for _, rows := range [][]setting{
			networkSettings(), filesystemSettings(), fileModeSettings(), environmentSettings(), limitSettings(), otherSettings(),
			permissionSettings(), credentialSettings(), foreignSettings(),
		} {
			for i := range rows {
				tableRows = append(tableRows, &rows[i])
			}
		}
	})
	return tableRows
}

// namesOf returns the keys of the object at prefix, "" for the top level, in the
// files of a shape. What has keys below it is an object of them.
func namesOf(prefix string, of shapes) []string {
	below := joinKey(prefix, "")
	var names []string
	for _, s := range table() {
		rest, inside := strings.CutPrefix(s.key, below)
		name, _, _ := strings.Cut(rest, ".")
		if inside && s.of&of != 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// settingAt returns the setting with this key, nil for an object of settings.
func settingAt(key string) *setting {
	for _, s := range table() {
		if s.key == key {
			return s
		}
	}
	return nil
}

// fieldsOf are what reads the object at prefix.
func fieldsOf(prefix string, of shapes) []field {
	var fields []field
	for _, name := range namesOf(prefix, of) {
		key := joinKey(prefix, name)
		read := func(v value) error { return v.object(fieldsOf(key, of), false) }
		if s := settingAt(key); s != nil {
			read = s.kind.read
		}
		fields = append(fields, field{name, read})
	}
	return fields
}

// merge adds a weaker layer: scalars where none is set, lists at the end.
func (l *layer) merge(weaker *layer) {
	for _, s := range table() {
		s.kind.merge(l, weaker)
	}
	l.notices = append(l.notices, weaker.notices...)
}

// tighten clears everything that could allow more than is allowed without the
// layer, and returns the keys it cleared. Limits stay: see lower.
func (l *layer) tighten() []string {
	var dropped []*setting
	for _, s := range table() {
		if s.kind.tighten(l) {
			dropped = append(dropped, s)
		}
	}
	slices.SortStableFunc(dropped, func(a, b *setting) int { return cmp.Compare(a.kind.loosens(), b.kind.loosens()) })
	var keys []string
	for _, s := range dropped {
		keys = append(keys, s.key)
	}
	return keys
}

// lower takes of an untrusted layer's limits those that are stricter.
func (l *layer) lower(untrusted *layer) {
	for _, s := range table() {
		s.kind.lower(l, untrusted)
	}
}

// scalars returns the settings with a single value that some source set.
func (l *layer) scalars() []Scalar {
	var set []Scalar
	for _, s := range table() {
		if text, source, ok := s.kind.scalar(l); ok {
			set = append(set, Scalar{s.key, text, source})
		}
	}
	return set
}
