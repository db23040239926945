package policy

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// Domains is the compiled allow and deny lists. It is never changed after
// NewDomains, so any number of goroutines may use it. A look-up costs one
// access for each label of a name, or for each prefix length in use for an
// address, however many rules there are.
type Domains struct {
	deny, allow []DomainRule
	names       *nameIndex // by name; "" is the root, for "*"
	prefixes    map[netip.Prefix]slots
	bits        [2][]int // prefix lengths in use, longest first: IPv4, IPv6
	ported      map[portedKey][]portRule
}

// slot says which list a rule is of, and whether it covers the key itself or
// what lies below it. An address range is kept as exact.
type slot uint8

const (
	denyExact slot = iota
	denyBelow
	allowExact
	allowBelow
	slotCount
)

// slots holds, for one address range, the rule without a port in each slot (an
// index plus one, 0 for none) and which slots have rules with ports.
type slots struct {
	any    [slotCount]int32
	ported [slotCount]bool
}

type portedKey struct {
	name   string
	prefix netip.Prefix
	slot   slot
}

type portRule struct {
	port uint16
	rule int32
}

// NewDomains compiles the lists. Of rules that cover the same, the first in
// its list is the one that decisions name. The slices are kept and must not be
// changed afterwards.
func NewDomains(allow, deny []DomainRule) *Domains {
	d := &Domains{deny: deny, allow: allow}
	if n := len(deny) + len(allow); n > 0 {
		d.names = newNameIndex(n, func(i int32) string { return d.rule(i).Pattern.name() })
	}
	for i := range int32(len(deny) + len(allow)) {
		d.add(i)
	}
	for _, list := range d.ported {
		slices.SortStableFunc(list, func(a, b portRule) int { return cmp.Compare(a.port, b.port) })
	}
	for i := range d.bits {
		slices.Sort(d.bits[i])
		d.bits[i] = slices.Compact(d.bits[i])
		slices.Reverse(d.bits[i])
	}
	return d
}

// rule returns a rule by its index: the denials come first.
func (d *Domains) rule(i int32) *DomainRule {
	if int(i) < len(d.deny) {
		return &d.deny[i]
	}
	return &d.allow[int(i)-len(d.deny)]
}

func (d *Domains) slotOf(i int32) slot {
	s := denyExact
	if int(i) >= len(d.deny) {
		s = allowExact
	}
	if d.rule(i).Pattern.IsWildcard() {
		s++ // denyBelow, allowBelow
	}
	return s
}

// Empty reports that no allow rule exists at all.
func (d *Domains) Empty() bool { return len(d.allow) == 0 }

func (d *Domains) add(i int32) {
	p := &d.rule(i).Pattern
	key := portedKey{slot: d.slotOf(i)}
	if p.kind == patternPrefix {
		key.prefix = p.prefix()
		d.addPrefix(i, key)
	} else {
		key.name = p.name()
		d.names.add(i, d.same)
	}
	if p.port == 0 {
		return
	}
	if d.ported == nil {
		d.ported = make(map[portedKey][]portRule)
	}
	d.ported[key] = append(d.ported[key], portRule{p.port, i})
}

// same tells whether two rules of one name are one to look-ups: all rules of a
// slot with a port are, for their ports are in ported.
func (d *Domains) same(a, b int32) bool {
	return d.slotOf(a) == d.slotOf(b) && (d.rule(a).Pattern.port == 0) == (d.rule(b).Pattern.port == 0)
}

func (d *Domains) addPrefix(i int32, key portedKey) {
	if d.prefixes == nil {
		d.prefixes = make(map[netip.Prefix]slots)
	}
	entry, known := d.prefixes[key.prefix]
	switch {
	case d.rule(i).Pattern.port != 0:
		entry.ported[key.slot] = true
	case entry.any[key.slot] == 0:
		entry.any[key.slot] = i + 1
	}
	d.prefixes[key.prefix] = entry
	if f := family(key.prefix.Addr()); !known && !slices.Contains(d.bits[f], key.prefix.Bits()) {
		d.bits[f] = append(d.bits[f], key.prefix.Bits())
	}
}

// find returns the narrowest rule of the two slots that covers hp, or nil.
// Port 0 finds only rules that cover every port.
func (d *Domains) find(hp HostPort, exact, below slot) *DomainRule {
	if a, ok := hp.Host.Addr(); ok {
		r := d.findAddr(a, hp.Port, exact)
		if r == nil && exact == denyExact {
			r = d.at("", hp.Port, denyBelow) // a denying "*" means everything
		}
		return r
	}
	name := hp.Host.name
	if name == "" {
		return nil
	}
	if r := d.at(name, hp.Port, exact); r != nil || hp.Host == Localhost && below == allowBelow {
		return r
	}
	for rest := name; rest != ""; {
		_, rest, _ = strings.Cut(rest, ".")
		if r := d.at(rest, hp.Port, below); r != nil {
			return r
		}
	}
	return nil
}

// DeniedAddr returns the denial of an address that a name resolved to, or that
// another address is a form of, if a rule on addresses denies it.
func (d *Domains) DeniedAddr(a netip.Addr, port uint16) (dec Decision, denied bool) {
	rule := d.findAddr(a, port, denyExact)
	if rule == nil {
		return Decision{}, false
	}
	return rule.decision(Denied), true
}

func (d *Domains) at(name string, port uint16, s slot) *DomainRule {
	ported := false
	for i, _ := d.names.first(name); i >= 0; i = d.names.after(i) {
		switch {
		case d.slotOf(i) != s:
		case d.rule(i).Pattern.port == 0:
			return d.rule(i)
		default:
			ported = true
		}
	}
	if !ported {
		return nil
	}
	return d.withPort(portedKey{name: name, slot: s}, port)
}

func (d *Domains) findAddr(a netip.Addr, port uint16, s slot) *DomainRule {
	for _, bits := range d.bits[family(a)] {
		prefix, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if entry, ok := d.prefixes[prefix]; ok {
			if i := entry.any[s]; i > 0 {
				return d.rule(i - 1)
			}
			if !entry.ported[s] {
				continue
			}
			if r := d.withPort(portedKey{prefix: prefix, slot: s}, port); r != nil {
				return r
			}
		}
	}
	return nil
}

// withPort returns the rule for that very port; port 0 has none.
func (d *Domains) withPort(key portedKey, port uint16) *DomainRule {
	list := d.ported[key]
	i, ok := slices.BinarySearchFunc(list, port, func(r portRule, p uint16) int { return cmp.Compare(r.port, p) })
	if port == 0 || !ok {
		return nil
	}
	return d.rule(list[i].rule)
}

// allowedPorts yields every port that some rule with a port allows h on.
func (d *Domains) allowedPorts(h Host) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for key := range portedKeys(d, h) {
			for _, r := range d.ported[key] {
				if !yield(r.port) {
					return
				}
			}
		}
	}
}

// portedKeys yields the keys under which allow rules with ports may cover h,
// narrowest first.
func portedKeys(d *Domains, h Host) iter.Seq[portedKey] {
	return func(yield func(portedKey) bool) {
		if a, ok := h.Addr(); ok {
			for _, bits := range d.bits[family(a)] {
				if prefix, err := a.Prefix(bits); err == nil && !yield(portedKey{prefix: prefix, slot: allowExact}) {
					return
				}
			}
			return
		}
		if len(d.ported) == 0 || !yield(portedKey{name: h.name, slot: allowExact}) {
			return
		}
		for rest := h.name; rest != ""; {
			_, rest, _ = strings.Cut(rest, ".")
			if !yield(portedKey{name: rest, slot: allowBelow}) {
				return
			}
		}
	}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// AllowedPorts returns the ports that allow rules with a port name of a host.
func (d *Domains) AllowedPorts(h Host) []uint16 { return PortsOf(d.allow, h) }

// PortsOf returns the ports that rules with a port name of a host, in order and
// each once.
func PortsOf(rules []DomainRule, h Host) (ports []uint16) {
	for _, r := range rules {
		if p := r.Pattern.Port(); p != 0 && !slices.Contains(ports, p) && r.Pattern.MatchHost(h) {
			ports = append(ports, p)
		}
	}
	return ports
}
