package upstream

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"srun/policy"
)

// noProxy is the list of NO_PROXY: names with all below them, addresses,
// ranges, each with a port or without, and "*".
type noProxy []noProxyRule

type noProxyRule struct {
	all    bool
	name   string // the name itself and those below it; with a leading dot only those below
	prefix netip.Prefix
	port   string
}

func parseNoProxy(s string) (list noProxy) {
	for _, item := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		list = append(list, parseNoProxyRule(strings.ToLower(item)))
	}
	return list
}

func parseNoProxyRule(s string) (r noProxyRule) {
	if s == "*" {
		return noProxyRule{all: true}
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return noProxyRule{prefix: p.Masked()}
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return noProxyRule{prefix: netip.PrefixFrom(a, a.BitLen())}
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		r = parseNoProxyRule(host)
		r.port = port
		return r
	}
	return noProxyRule{name: strings.TrimPrefix(strings.Trim(s, "[]"), "*")}
}

func (list noProxy) matches(to policy.HostPort) bool {
	host := to.Host.String()
	a, literal := to.Host.Addr()
	if literal && a.IsLoopback() {
		return true
	}
	for _, r := range list {
		switch {
		case r.port != "" && r.port != fmt.Sprint(to.Port):
		case r.all:
			return true
		case literal:
			if r.prefix.IsValid() && r.prefix.Contains(a) {
				return true
			}
		case r.name != "" && (host == r.name || strings.HasSuffix(host, "."+strings.TrimPrefix(r.name, "."))):
			return true
		}
	}
	return false
}
