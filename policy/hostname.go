package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

func parseHost(s string) (Host, error) {
	if s == "" {
		return Host{}, errors.New("empty")
	}
	if err := checkBytes(s); err != nil {
		return Host{}, err
	}
	if strings.HasPrefix(s, "[") || strings.IndexByte(s, ':') >= 0 {
		return parseIPv6(s)
	}
	if !isASCII(s) {
		var err error
		if s, err = toASCII(s); err != nil {
			return Host{}, err
		}
	}
	s = lower(strings.TrimSuffix(s, "."))
	if endsInNumber(s) {
		a, err := parseIPv4(s)
		return Host{addr: a}, err
	}
	return Host{name: s}, checkName(s)
}

// checkBytes refuses what has a meaning in some protocol that carries a host,
// so that a Host can be written into HTTP, DNS, a log or a terminal as it is.
func checkBytes(s string) error {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ':
			return errors.New("has a space")
		case c < ' ' || c == 0x7f:
			return fmt.Errorf("has control byte 0x%02x", c)
		case c == '%':
			return errors.New("has '%': zones and escapes are not taken")
		case c == '@' || c == '/' || c == '\\' || c == '?' || c == '#':
			return fmt.Errorf("has %q: not a plain host name", c)
		}
	}
	return nil
}

func parseIPv6(s string) (Host, error) {
	inner := s
	if s[0] == '[' {
		if s[len(s)-1] != ']' {
			return Host{}, errors.New("the closing ']' is missing")
		}
		inner = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(inner)
	if err != nil || !a.Is6() {
		return Host{}, errors.New("not an IPv6 address")
	}
	return HostFromAddr(a), nil
}

// checkName checks a lower-case name label by label. An underscore may lead a
// label, as in the service names of RFC 2782.
func checkName(s string) error {
	if len(s) > maxName {
		return fmt.Errorf("longer than %d bytes", maxName)
	}
	for rest, more := s, true; more; {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(l string) error {
	switch {
	case l == "":
		return errors.New("has an empty label")
	case len(l) > maxLabel:
		return fmt.Errorf("has a label longer than %d bytes", maxLabel)
	case l[0] == '-' || l[len(l)-1] == '-':
		return fmt.Errorf("label %q begins or ends with '-'", l)
	}
	for i := 0; i < len(l); i++ {
		c := l[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			continue
		}
		return fmt.Errorf("has %q, which a host name cannot have", c)
	}
	if l == "_" {
		return errors.New("has a label of '_' only")
	}
	return nil
}

// endsInNumber is the URL standard's "ends in a number" check: such a host is
// an IPv4 address for some resolver, so it must never pass as a name.
func endsInNumber(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	if last == "" {
		return false
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// parseIPv4 reads an address as inet_aton(3) does: one to four numbers, each
// decimal, octal with a leading 0 or hexadecimal with 0x, the last of which
// fills the bytes that remain.
func parseIPv4(s string) (netip.Addr, error) {
	errNot := errors.New("ends in a number but is not an IPv4 address")
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, errNot
	}
	var v uint64
	for i, p := range parts {
		n, err := parseIPv4Number(p)
		most := uint64(255)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if err != nil || n > most {
			return netip.Addr{}, errNot
		}
		if i == len(parts)-1 {
			v |= n
		} else {
			v |= n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), nil
}

func parseIPv4Number(p string) (uint64, error) {
	switch {
	case p == "0x":
		return 0, nil // as in the URL standard
	case strings.HasPrefix(p, "0x"):
		return strconv.ParseUint(p[2:], 16, 32)
	case len(p) > 1 && p[0] == '0':
		return strconv.ParseUint(p[1:], 8, 32)
	}
	return strconv.ParseUint(p, 10, 32)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lower is strings.ToLower for ASCII, which returns s itself when it can.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
