package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// flagReader turns Flags into a layer and keeps the first error.
type flagReader struct {
	o     Options
	layer *layer
	err   error
}

func (o Options) flagLayer() (*layer, error) {
	f := &flagReader{o: o, layer: &layer{source: Source{Tier: TierFlag}}}
	f.network(o.Flags)
	f.files(o.Flags)
	f.environment(o.Flags)
	f.limits(o.Flags)
	for _, name := range o.Flags.Profile {
		f.layer.profiles = append(f.layer.profiles, Entry{name, flagSource("--profile")})
	}
	f.each("--allow-weaker", o.Flags.AllowWeaker, func(s string, src Source) error {
		f.layer.weaker = append(f.layer.weaker, Weaker{s, src})
		if !slices.Contains(WeakerNames(), s) {
			return fmt.Errorf("no such protection; did you mean %s?", nearest(s, WeakerNames()))
		}
		return nil
	})
	return f.layer, f.err
}

func flagSource(flag string) Source { return Source{Tier: TierFlag, Flag: flag} }

// each calls read with every value of a flag until one fails.
func (f *flagReader) each(flag string, values []string, read func(string, Source) error) {
	for _, s := range values {
		if f.err != nil {
			return
		}
		if err := read(s, flagSource(flag)); err != nil {
			f.err = &Error{Flag: flag, Msg: fmt.Sprintf("%q: %v", clip(s), err), Err: err}
		}
	}
}

// one is each for a flag that is given once, "" when it is not.
func (f *flagReader) one(flag, value string, read func(string, Source) error) {
	if value != "" {
		f.each(flag, []string{value}, read)
	}
}

func (f *flagReader) network(v *Flags) {
	l := f.layer
	f.domains("--allow-domain", v.AllowDomain, &l.allow)
	f.domains("--deny-domain", v.DenyDomain, &l.deny)
	if v.AllowLocalBinding {
		l.localBinding = setting(true, flagSource("--allow-local-binding"))
	}
	f.one("--http-proxy-port", v.HTTPProxyPort, f.port(&l.httpPort))
	f.one("--socks-proxy-port", v.SOCKSProxyPort, f.port(&l.socksPort))
	f.each("--publish", v.Publish, func(s string, src Source) error {
		rule, err := parsePublish(s)
		rule.Source = src
		l.publish = append(l.publish, rule)
		return err
	})
	f.each("--forward", v.Forward, func(s string, src Source) error {
		port, err := ParsePort(s)
		l.forward = append(l.forward, PortRule{port, src})
		return err
	})
	f.one("--network", v.Network, func(s string, _ Source) error {
		l.mode = Mode(s)
		if l.mode != ModeFiltered && l.mode != ModeNone && l.mode != ModeHost {
			return errors.New("not one of filtered, none, host")
		}
		return nil
	})
}

func (f *flagReader) port(o *opt[int]) func(string, Source) error {
	return func(s string, src Source) error {
		n, err := ParsePort(s)
		*o = setting(int(n), src)
		return err
	}
}

// domains reads patterns with commas between them. Each is reported by itself.
func (f *flagReader) domains(flag string, values []string, list *[]DomainRule) {
	for _, s := range values {
		for one := range strings.SplitSeq(s, ",") {
			p, err := ParsePattern(one)
			if err != nil && f.err == nil {
				f.err = &Error{Flag: flag, Msg: err.Error(), Err: err}
			}
			*list = append(*list, DomainRule{Pattern: p, Source: flagSource(flag)})
		}
	}
}

func (f *flagReader) files(v *Flags) {
	l := f.layer
	f.paths("--allow-write", v.AllowWrite, &l.allowWrite)
	f.paths("--deny-write", v.DenyWrite, &l.denyWrite)
	f.paths("--allow-read", v.AllowRead, &l.allowRead)
	f.paths("--deny-read", v.DenyRead, &l.denyRead)
	f.openProtected(v.OpenProtected)
	f.paths("--allow-unix-socket", v.AllowUnixSocket, &l.unix)
}

func (f *flagReader) paths(flag string, values []string, list *[]PathRule) {
	f.each(flag, values, func(s string, src Source) error {
		rule, err := parsePath(s, f.o.Dir, f.o.Home, false)
		rule.Source = src
		*list = append(*list, rule)
		return err
	})
}

func (f *flagReader) environment(v *Flags) {
	f.each("--env", v.Env, func(s string, src Source) error {
		name, value, assigned := strings.Cut(s, "=")
		if name == "" || name[0] == '-' || strings.IndexByte(s, 0) >= 0 {
			return errors.New("not NAME or NAME=VALUE")
		}
		f.layer.envSet = append(f.layer.envSet, EnvVar{Name: name, Value: value, Pass: !assigned, Source: src})
		return nil
	})
	f.each("--unset-env", v.UnsetEnv, func(s string, src Source) error {
		f.layer.envUnset = append(f.layer.envUnset, EnvRule{Glob: s, Source: src})
		return checkEnvGlob(s)
	})
}

func (f *flagReader) limits(v *Flags) {
	l := &f.layer.limits
	f.one("--timeout", v.Timeout, readFlag(&l.timeout, parseDuration))
	f.one("--memory", v.Memory, readFlag(&l.memory, parseSize))
	f.one("--pids", v.PIDs, readFlag(&l.pids, parsePIDs))
	f.one("--cpus", v.CPUs, readFlag(&l.cpus, parseCPUs))
}

func readFlag[T any](o *opt[T], parse func(string) (T, error)) func(string, Source) error {
	return func(s string, src Source) error {
		n, err := parse(s)
		*o = setting(n, src)
		return err
	}
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
