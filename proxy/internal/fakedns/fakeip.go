package fakedns

import (
	"encoding/binary"
	"net/netip"
	"sync"

	"srun/policy"
)

// The ranges that DNS answers inside the sandbox come from: the benchmarking
// range of RFC 2544 and a unique local prefix of our own ("srun" in ASCII).
// Neither is ever dialled outside, unless a rule names the very address: package
// addrguard refuses both.
var (
	FakeV4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, 0, 0}), 15)
	FakeV6 = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0x5f, 's', 'r', 'u', 'n'}), 64)
)

// firstIndex leaves out the addresses that look like a network's own.
const firstIndex = 16

// maxNames bounds the names that get synthetic addresses: an address is never
// given to a second name, so beyond it new names fail.
const maxNames = 1 << 16

// Table gives each name a synthetic address of either family, the same for the
// whole run. An address never passes to a second name: a program may hold one
// for as long as it runs. The zero Table is empty and ready.
type Table struct {
	mu    sync.RWMutex
	index map[policy.Host]uint32
	name  []policy.Host // by index, from firstIndex on
}

// Assign returns the addresses of a name, giving it new ones the first time.
// It returns false when the table is full. Any goroutine may call it.
func (t *Table) Assign(h policy.Host) (a4, a6 netip.Addr, ok bool) {
	t.mu.RLock()
	i, known := t.index[h]
	t.mu.RUnlock()
	if !known {
		if i, known = t.add(h); !known {
			return a4, a6, false
		}
	}
	return addrV4(i), addrV6(i), true
}

func (t *Table) add(h policy.Host) (uint32, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i, ok := t.index[h]; ok {
		return i, true
	}
	if len(t.name) >= maxNames {
		return 0, false
	}
	if t.index == nil {
		t.index = make(map[policy.Host]uint32)
	}
	i := uint32(firstIndex + len(t.name))
	t.name = append(t.name, h)
	t.index[h] = i
	return i, true
}

// Lookup returns the name that a synthetic address stands for, and false for
// any other address. Any goroutine may call it.
func (t *Table) Lookup(a netip.Addr) (policy.Host, bool) {
	i, ok := indexOf(a)
	if !ok {
		return policy.Host{}, false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i < firstIndex || i-firstIndex >= uint32(len(t.name)) {
		return policy.Host{}, false
	}
	return t.name[i-firstIndex], true
}

func addrV4(i uint32) netip.Addr {
	b := FakeV4.Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+i)
	return netip.AddrFrom4(b)
}

func addrV6(i uint32) netip.Addr {
	b := FakeV6.Addr().As16()
	binary.BigEndian.PutUint32(b[12:], i)
	return netip.AddrFrom16(b)
}

// indexOf is the inverse of addrV4 and addrV6.
func indexOf(a netip.Addr) (uint32, bool) {
	switch {
	case FakeV4.Contains(a):
		b, base := a.As4(), FakeV4.Addr().As4()
		return binary.BigEndian.Uint32(b[:]) - binary.BigEndian.Uint32(base[:]), true
	case FakeV6.Contains(a):
		b := a.As16()
		return binary.BigEndian.Uint32(b[12:]), [4]byte(b[8:12]) == [4]byte{}
	}
	return 0, false
}
