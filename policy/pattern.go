package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Pattern is one entry of a domain list, in canonical form; patterns that mean
// the same compare equal with ==.
//
//	example.com      that name
//	*.example.com    any name below it, at any depth, and not itself
//	*                any name, and no IP literal; where it denies, those too
//	192.0.2.1        that address, and no name that resolves to it; where it
//	                 denies, those too
//	2001:db8::1      the same, also written [2001:db8::1]
//	10.0.0.0/8       any address of the range
//	localhost:8080   the host's loopback, see [Decision]
//
// Each may end in :PORT. An IPv6 address or range with a port is written in
// brackets: [2001:db8::1]:443, [2001:db8::/32]:443.
type Pattern struct {
	kind     patternKind
	port     uint16 // 0 is any port
	from, to uint16 // of text, what body returns
	text     string // canonical spelling
}

// pattern is a Pattern while it is read. A million of them are kept, so a
// Pattern has no more than its text.
type pattern struct {
	kind   patternKind
	port   uint16
	name   string // the name, or what comes after "*."
	prefix netip.Prefix
}

type patternKind uint8

const (
	patternName   patternKind = iota + 1
	patternSuffix             // *.name
	patternAny                // *
	patternPrefix             // an address or range
)

// ParsePattern reads a pattern in any spelling that ParseHost takes. A
// wildcard over an ICANN public suffix (*.com, *.co.uk) is an error; one over
// a private suffix (*.github.io) is not.
func ParsePattern(s string) (Pattern, error) {
	p, err := parsePattern(s)
	if err != nil {
		return Pattern{}, fmt.Errorf("%q: %w", clip(s), err)
	}
	text, body := p.format()
	if text == s {
		text = s // the caller's memory serves as well
	}
	from := strings.Index(text, body)
	return Pattern{kind: p.kind, port: p.port, text: text, from: uint16(from), to: uint16(from + len(body))}, nil
}

// name is the name, or what comes after "*."; "" for "*" and addresses.
func (p Pattern) name() string {
	if p.kind == patternName || p.kind == patternSuffix {
		return p.text[p.from:p.to]
	}
	return ""
}

// prefix is the address or range; the zero Prefix for names.
func (p Pattern) prefix() netip.Prefix {
	if p.kind != patternPrefix {
		return netip.Prefix{}
	}
	body := p.text[p.from:p.to]
	if strings.IndexByte(body, '/') < 0 {
		a, _ := netip.ParseAddr(body) // format wrote it
		return netip.PrefixFrom(a, a.BitLen())
	}
	prefix, _ := netip.ParsePrefix(body)
	return prefix
}

// String returns the canonical spelling, which ParsePattern reads back as the
// same pattern.
func (p Pattern) String() string { return p.text }

// Match reports whether the pattern covers the host at that port.
func (p Pattern) Match(hp HostPort) bool {
	return (p.port == 0 || p.port == hp.Port) && p.MatchHost(hp.Host)
}

// MatchHost reports whether the pattern covers the host at some port.
func (p Pattern) MatchHost(h Host) bool {
	if h.addr.IsValid() || p.kind == patternPrefix {
		return p.kind == patternPrefix && p.prefix().Contains(h.addr)
	}
	switch p.kind {
	case patternName:
		return h.name == p.name()
	case patternSuffix:
		i := len(h.name) - len(p.name())
		return i > 1 && h.name[i-1] == '.' && h.name[i:] == p.name()
	case patternAny:
		return h.name != ""
	}
	return false
}

// IsWildcard reports whether p is "*" or "*.name". A name that only wildcards
// allow may not resolve to private addresses.
func (p Pattern) IsWildcard() bool { return p.kind == patternSuffix || p.kind == patternAny }

// Port returns the pattern's port, 0 when it covers every port.
func (p Pattern) Port() uint16 { return p.port }

// isExact reports whether p names one address, or localhost.
func (p Pattern) isExact() bool {
	return p.kind == patternPrefix && p.prefix().IsSingleIP() || p.kind == patternName && p.name() == Localhost.name
}

// reachable returns the pattern as an allow list has it: of the loopback addresses
// only those that localhost has can be reached, and of localhost only a port.
func reachable(p Pattern) (Pattern, error) {
	prefix := p.prefix()
	isHost := p.kind == patternName && p.name() == Localhost.name
	if p.kind == patternPrefix && prefix.IsSingleIP() {
		switch a := prefix.Addr(); {
		case a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a == netip.IPv6Loopback():
			isHost = true
		case a.IsLoopback() || a.IsUnspecified():
			return p, fmt.Errorf("%q: never reached; localhost:PORT is a port of the host's loopback", p)
		}
	}
	switch {
	case !isHost:
		return p, nil
	case p.port == 0:
		return p, fmt.Errorf("%q: the host's loopback needs a port, as in localhost:8080; the sandbox's own is always reached", p)
	}
	return ParsePattern(HostPort{Localhost, p.port}.String())
}

// format returns the canonical spelling, and the name or address in it.
func (p pattern) format() (text, body string) {
	body = p.name
	switch p.kind {
	case patternAny:
		body = "*"
	case patternPrefix:
		body = p.prefix.String()
		if p.prefix.IsSingleIP() {
			body = p.prefix.Addr().String()
		}
	}
	text = body
	if p.kind == patternSuffix {
		text = "*." + body
	}
	if p.port == 0 {
		return text, body
	}
	if p.prefix.Addr().Is6() {
		text = "[" + text + "]"
	}
	return text + ":" + strconv.Itoa(int(p.port)), body
}

func parsePattern(s string) (pattern, error) {
	if s == "" {
		return pattern{}, errors.New("empty")
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		return pattern{}, fmt.Errorf("a pattern has no scheme: leave out %q, as in %q", scheme+"://", host)
	}
	body, port, err := cutPatternPort(s)
	if err != nil {
		return pattern{}, err
	}
	p, err := parsePatternBody(body)
	if err != nil || port == "" {
		return p, err
	}
	p.port, err = ParsePort(port)
	return p, err
}

// cutPatternPort is splitHostPort for patterns, where IPv6 without a port may
// go without brackets.
func cutPatternPort(s string) (body, port string, err error) {
	if s[0] != '[' && strings.Count(s, ":") > 1 {
		return s, "", nil
	}
	return splitHostPort(s)
}

func parsePatternBody(s string) (pattern, error) {
	if s == "*" {
		return pattern{kind: patternAny}, nil
	}
	if rest, ok := strings.CutPrefix(s, "*."); ok {
		return parseSuffix(rest)
	}
	if strings.IndexByte(s, '*') >= 0 {
		return pattern{}, errors.New("'*' stands alone or as the first label, as in *.example.com")
	}
	if strings.IndexByte(s, '/') >= 0 {
		prefix, err := parseCIDR(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
		return pattern{kind: patternPrefix, prefix: prefix}, err
	}
	h, err := parseHost(s)
	if err != nil {
		return pattern{}, err
	}
	if a, ok := h.Addr(); ok {
		return pattern{kind: patternPrefix, prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	return pattern{kind: patternName, name: h.name}, nil
}

func parseSuffix(s string) (pattern, error) {
	h, err := parseHost(s)
	if err != nil {
		return pattern{}, err
	}
	if h.addr.IsValid() || h.name == "" {
		return pattern{}, errors.New("a wildcard over an address: write a range such as 10.0.0.0/8")
	}
	if isPublicSuffix(h.name) {
		return pattern{}, fmt.Errorf("a wildcard over the public suffix %q would cover every owner's names below it", h.name)
	}
	return pattern{kind: patternSuffix, name: h.name}, nil
}

// parseCIDR reads an address range. Bits set beyond the mask are an error, for
// the writer meant something else than what the range covers.
func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("not an address range such as 10.0.0.0/8")
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, errors.New("an IPv4-mapped range shorter than /96: write it as IPv4")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("has bits beyond its mask: did you mean %s", p.Masked())
	}
	return p, nil
}
