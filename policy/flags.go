package policy

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// flagReader turns Flags into a layer.
type flagReader struct {
	o     Options
	layer *layer
}

func (o Options) flagLayer() (*layer, error) {
	f := &flagReader{o: o, layer: &layer{source: Source{Tier: TierFlag}}}
	known := make(map[string]bool)
	for _, s := range table() {
		known[s.flag.name] = true
		if err := f.read(s); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Flags)) {
		if !known[name] || name == "" {
			return nil, &Error{Flag: "--" + name, Msg: "no such flag makes policy"}
		}
	}
	return f.layer, nil
}

// read takes every value of one setting's flag. What is given once counts as
// not given where it is empty.
func (f *flagReader) read(s *setting) error {
	values := f.o.Flags[s.flag.name]
	if len(values) == 0 || s.flag.name == "" {
		return nil
	}
	switch s.kind.arity() {
	case noValue:
		if !f.o.Flags.on(s.flag.name) {
			return nil
		}
		values = values[len(values)-1:]
	case oneValue:
		if values = values[len(values)-1:]; values[0] == "" {
			return nil
		}
	}
	source := flagSource("--" + s.flag.name)
	for _, text := range values {
		if err := s.kind.readFlag(f, text, source); err != nil {
			return &Error{Flag: source.Flag, Msg: err.Error(), Err: err}
		}
	}
	return nil
}

// on reports whether a switch is given.
func (f Flags) on(name string) bool {
	values := f[name]
	return len(values) > 0 && values[len(values)-1] == "true"
}

func (f *flagReader) place(source Source) place { return place{f.o.Dir, f.o.Home, source} }

func flagSource(flag string) Source { return Source{Tier: TierFlag, Flag: flag} }

// The forms below are those of flags without a key.

func mode() form[Mode] {
	return form[Mode]{one: "MODE", hidden: true, parse: func(s string, _ place) (Mode, error) {
		m := Mode(s)
		if m != ModeFiltered && m != ModeNone && m != ModeHost {
			return m, errors.New("not one of filtered, none, host")
		}
		return m, nil
	}}
}

func publishRule() form[PublishRule] {
	return form[PublishRule]{parse: func(s string, at place) (PublishRule, error) {
		rule, err := parsePublish(s)
		rule.Source = at.source
		return rule, err
	}}
}

// parsePublish reads [ADDR:]PORT[:INNER]; an IPv6 address is in brackets.
func parsePublish(s string) (PublishRule, error) {
	bad := errors.New("not [ADDR:]PORT[:INNER]")
	addr := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	parts := strings.Split(s, ":")
	if i := strings.LastIndex(s, "]:"); i >= 0 || len(parts) > 1 && strings.IndexByte(parts[0], '.') >= 0 {
		host := parts[0]
		if i >= 0 {
			host = s[:i+1]
		}
		a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
		if err != nil || a.Zone() != "" {
			return PublishRule{}, bad
		}
		addr, parts = a, strings.Split(s[len(host)+1:], ":")
	}
	if len(parts) > 2 {
		return PublishRule{}, bad
	}
	port, err := ParsePort(parts[0])
	if err != nil {
		return PublishRule{}, err
	}
	inner, err := ParsePort(parts[len(parts)-1])
	return PublishRule{Addr: netip.AddrPortFrom(addr, port), Inner: inner}, err
}

func forwardedPort() form[PortRule] {
	return form[PortRule]{parse: func(s string, at place) (PortRule, error) {
		port, err := ParsePort(s)
		return PortRule{port, at.source}, err
	}}
}

func variable() form[EnvVar] {
	return form[EnvVar]{parse: func(s string, at place) (EnvVar, error) {
		name, value, assigned := strings.Cut(s, "=")
		if name == "" || name[0] == '-' || strings.IndexByte(s, 0) >= 0 {
			return EnvVar{}, errors.New("not NAME or NAME=VALUE")
		}
		return EnvVar{Name: name, Value: value, Pass: !assigned, Source: at.source}, nil
	}}
}

func weakness() form[Weaker] {
	return form[Weaker]{parse: func(s string, at place) (Weaker, error) {
		if !slices.Contains(WeakerNames(), s) {
			return Weaker{}, fmt.Errorf("no such protection; did you mean %s?", nearest(s, WeakerNames()))
		}
		return Weaker{s, at.source}, nil
	}}
}
