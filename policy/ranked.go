package policy

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// The values of filesystem.writeRoot.
const (
	WriteRootProject = "project" // the directory with .git or .srun that the command's is in
	WriteRootCwd     = "cwd"     // the command's directory
)

// The values of filesystem.tmp; any other is a directory for the private one.
const (
	TmpPrivate = "private"
	TmpHost    = "host"
)

// The values of filesystem.caches.
const (
	CachesOff     = "off"     // as the host has them, and not written
	CachesPrivate = "private" // written in a layer of the project's own
	CachesShared  = "shared"  // the host's own are written
)

// ranked is a setting whose values are one stricter than the next. An untrusted file
// may make it stricter than it is without the file.
type ranked struct {
	*single[string]
	values  []string // the strictest first; what is none of them comes last
	without string   // what holds where nobody sets it
}

func rank(f form[string], values []string, without string, where func(*layer) *opt[string]) ranked {
	return ranked{one(f, stricter, where), values, without}
}

func (k ranked) rank(value string) int {
	if i := slices.Index(k.values, value); i >= 0 {
		return i
	}
	return len(k.values)
}

// tighten takes the value out; lower brings it back where it is stricter.
func (k ranked) tighten(l *layer) (dropped bool) {
	o := k.where(l)
	dropped = o.set && k.rank(o.value) > k.rank(k.without)
	*o = opt[string]{}
	return dropped
}

func (k ranked) lower(l, untrusted *layer) {
	o, w := k.where(l), k.where(untrusted)
	holds := k.without
	if o.set {
		holds = o.value
	}
	if w.set && k.rank(w.value) < k.rank(holds) {
		*o = *w
	}
}

// oneOf is one of some words.
func oneOf(values ...string) form[string] {
	return form[string]{
		one: strings.Join(values, " or "), schema: func() string { return enumSchema(values) },
		text: value.text,
		parse: func(s string, _ place) (string, error) {
			if !slices.Contains(values, s) {
				return "", errors.New("not one of " + strings.Join(values, ", "))
			}
			return s, nil
		},
	}
}

// wordOrDir is one of some words, or the path of a directory.
func wordOrDir(values ...string) form[string] {
	return form[string]{
		one: strings.Join(values, ", ") + " or a directory", schema: textSchema,
		text: value.text,
		parse: func(s string, at place) (string, error) {
			if slices.Contains(values, s) {
				return s, nil
			}
			if !strings.ContainsAny(s, "/~") {
				return "", errors.New("not one of " + strings.Join(values, ", ") + ", nor the path of a directory")
			}
			rule, err := parsePath(s, at.base, at.home, true)
			return filepath.Clean(rule.Path), err
		},
	}
}

func fileModeSettings() []setting {
	return []setting{
		{"filesystem.writeRoot", everywhere, "What may be written: the project that the working directory is in, or that directory alone.",
			rank(oneOf(WriteRootProject, WriteRootCwd), []string{WriteRootCwd, WriteRootProject}, WriteRootProject,
				func(l *layer) *opt[string] { return &l.writeRoot }),
			flag{"write-root", "`MODE` is project or cwd: what may be written"}},
		{"filesystem.tmp", everywhere, "The command's /tmp: its own, the host's, or its own in a directory on disk.",
			rank(wordOrDir(TmpPrivate, TmpHost), []string{TmpPrivate, TmpHost}, TmpPrivate,
				func(l *layer) *opt[string] { return &l.tmp }),
			flag{"tmp", "`MODE` is private, host, or a directory to make the private /tmp in"}},
		{"filesystem.caches", everywhere, "The caches of the common tools: written in a layer of the project's own, the host's, or not.",
			rank(oneOf(CachesPrivate, CachesShared, CachesOff), []string{CachesOff, CachesPrivate, CachesShared}, CachesPrivate,
				func(l *layer) *opt[string] { return &l.caches }),
			flag{"caches", "`MODE` is private, shared or off: the caches of tools"}},
		{"filesystem.allowDevices", everywhere, "Devices of the host's, or directories of them, that are there inside.",
			notProject[PathRule]{many(device(), everyEntry, func(l *layer) *[]PathRule { return &l.devices })},
			flag{"allow-device", "the device `PATH` of the host's is there inside"}},
	}
}
