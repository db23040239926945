package policy

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// Domains is the compiled allow and deny lists. It is never changed after
// NewDomains, so any number of goroutines may use it. A look-up costs one map
// access for each label of a name, or for each prefix length in use for an
// address, however many rules there are.
type Domains struct {
	names    map[string]slots // keyed by name; "" is the root, for "*"
	prefixes map[netip.Prefix]slots
	bits     [2][]int // prefix lengths in use, longest first: IPv4, IPv6
	ported   map[portedKey][]portRule
	rules    []*DomainRule
	allows   bool
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

// slots holds, for one key, the rule without a port in each slot (an index
// into rules plus one, 0 for none) and which slots have rules with ports.
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
	d := &Domains{allows: len(allow) > 0}
	if n := len(allow) + len(deny); n > 0 {
		d.names = make(map[string]slots, n)
		d.rules = make([]*DomainRule, 0, n)
	}
	d.addAll(deny, denyExact, denyBelow)
	d.addAll(allow, allowExact, allowBelow)
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

// Empty reports that no allow rule exists at all.
func (d *Domains) Empty() bool { return !d.allows }

func (d *Domains) addAll(rules []DomainRule, exact, below slot) {
	for i := range rules {
		r := &rules[i]
		d.rules = append(d.rules, r)
		s := exact
		if r.Pattern.IsWildcard() {
			s = below
		}
		if r.Pattern.kind == patternPrefix {
			d.addPrefix(r, s)
		} else {
			entry := d.names[r.Pattern.name]
			d.add(&entry, r, s)
			d.names[r.Pattern.name] = entry
		}
	}
}

func (d *Domains) addPrefix(r *DomainRule, s slot) {
	if d.prefixes == nil {
		d.prefixes = make(map[netip.Prefix]slots)
	}
	entry, known := d.prefixes[r.Pattern.prefix]
	d.add(&entry, r, s)
	d.prefixes[r.Pattern.prefix] = entry
	if f := family(r.Pattern.prefix.Addr()); !known && !slices.Contains(d.bits[f], r.Pattern.prefix.Bits()) {
		d.bits[f] = append(d.bits[f], r.Pattern.prefix.Bits())
	}
}

// add files the rule that was appended last.
func (d *Domains) add(entry *slots, r *DomainRule, s slot) {
	index := int32(len(d.rules))
	if r.Pattern.port == 0 {
		if entry.any[s] == 0 {
			entry.any[s] = index
		}
		return
	}
	if d.ported == nil {
		d.ported = make(map[portedKey][]portRule)
	}
	key := portedKey{r.Pattern.name, r.Pattern.prefix, s}
	d.ported[key] = append(d.ported[key], portRule{r.Pattern.port, index})
	entry.ported[s] = true
}

// find returns the narrowest rule of the two slots that covers hp, or nil.
// Port 0 finds only rules that cover every port.
func (d *Domains) find(hp HostPort, exact, below slot) *DomainRule {
	if a, ok := hp.Host.Addr(); ok {
		return d.findAddr(a, hp.Port, exact)
	}
	name := hp.Host.name
	if name == "" {
		return nil
	}
	if r := d.at(name, hp.Port, exact); r != nil || name == "localhost" && below == allowBelow {
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

func (d *Domains) at(name string, port uint16, s slot) *DomainRule {
	entry, ok := d.names[name]
	if !ok {
		return nil
	}
	return d.pick(&entry, portedKey{name: name, slot: s}, port)
}

func (d *Domains) findAddr(a netip.Addr, port uint16, s slot) *DomainRule {
	for _, bits := range d.bits[family(a)] {
		prefix, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if entry, ok := d.prefixes[prefix]; ok {
			if r := d.pick(&entry, portedKey{prefix: prefix, slot: s}, port); r != nil {
				return r
			}
		}
	}
	return nil
}

func (d *Domains) pick(entry *slots, key portedKey, port uint16) *DomainRule {
	if i := entry.any[key.slot]; i > 0 {
		return d.rules[i-1]
	}
	if port == 0 || !entry.ported[key.slot] {
		return nil
	}
	list := d.ported[key]
	i, ok := slices.BinarySearchFunc(list, port, func(r portRule, p uint16) int { return cmp.Compare(r.port, p) })
	if !ok {
		return nil
	}
	return d.rules[list[i].rule-1]
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
