package policy

import "hash/maphash"

// nameIndex finds the rules of a name among a million, with twelve bytes for
// each: an open-addressed table of hashes and first rules, and chains of the
// rules of one name. A map of the names takes eight times that.
type nameIndex struct {
	seed  maphash.Seed
	table []uint64 // upper half of the hash, and the rule's index plus one
	next  []int32  // for each rule, the next of its name plus one
	name  func(rule int32) string
}

func newNameIndex(rules int, name func(rule int32) string) *nameIndex {
	size := 16
	for size < rules+rules/2 {
		size *= 2
	}
	return &nameIndex{seed: maphash.MakeSeed(), table: make([]uint64, size), next: make([]int32, rules), name: name}
}

const (
	hashBits = uint64(0xffffffff) << 32
	ruleBits = 1<<32 - 1
)

// first returns the first rule of a name, -1 where there is none, and the place
// in the table where it is or would be.
func (x *nameIndex) first(name string) (rule int32, place int) {
	if x == nil {
		return -1, 0
	}
	hash := maphash.String(x.seed, name)
	mask := len(x.table) - 1
	for place = int(hash) & mask; ; place = (place + 1) & mask {
		entry := x.table[place]
		if entry == 0 {
			return -1, place
		}
		if rule = int32(entry&ruleBits) - 1; (entry^hash)&hashBits == 0 && x.name(rule) == name {
			return rule, place
		}
	}
}

// after returns the next rule of the same name, -1 after the last.
func (x *nameIndex) after(rule int32) int32 { return x.next[rule] - 1 }

// add files a rule under its name, behind those that are there, unless one of
// them is the same to look-ups.
func (x *nameIndex) add(rule int32, same func(a, b int32) bool) {
	name := x.name(rule)
	at, place := x.first(name)
	if at < 0 {
		x.table[place] = maphash.String(x.seed, name)&hashBits | uint64(rule+1)
		return
	}
	for ; ; at = x.after(at) {
		if same(at, rule) {
			return
		}
		if x.after(at) < 0 {
			x.next[at] = rule + 1
			return
		}
	}
}
