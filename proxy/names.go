package proxy

import (
	"fmt"

	"srun/policy"
	"srun/proxy/internal/tlshello"
)

// names hold the names that a client sends inside an allowed connection against
// what was allowed.
type names struct {
	decide *decider
	strict bool
}

// checkHello holds a hello against the grant that the connection rests on.
func (n *names) checkHello(g grant, h tlshello.Hello) *Denial {
	if n.strict {
		switch {
		case h.Encrypted:
			return newDenial(g.target, g.dec, CodeSNIMismatch, "TLS with an encrypted server name (ECH), which strictAllowlist refuses")
		case h.ServerName == "" && !g.target.literal():
			return newDenial(g.target, g.dec, CodeSNIMismatch, "TLS without a server name, which strictAllowlist refuses")
		}
	}
	if h.ServerName == "" {
		return nil
	}
	return n.checkName(g, "TLS server name", h.ServerName)
}

// checkName holds a name that a client sent inside an allowed connection, as
// what, against the name that was allowed. For an address, which has no name,
// it is any name that the rules allow at that port.
func (n *names) checkName(g grant, what, raw string) *Denial {
	name, err := policy.ParseHost(raw)
	if err != nil {
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	}
	if name == g.target.Host || g.target.literal() && n.mayName(g, name) {
		return nil
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		what+" "+name.String()+" is not the allowed name "+g.target.Host.String())
}

// mayName reports that name may be asked for at an address.
func (n *names) mayName(g grant, name policy.Host) bool {
	if a, ok := name.Addr(); g.target.kind == theHost && ok && a.IsLoopback() {
		return true
	}
	_, dec := n.decide.rules.judge(targetOf(policy.HostPort{Host: name, Port: g.target.Port}))
	switch dec.Verdict {
	case policy.Allowed:
		return true
	case policy.Denied:
		return false
	}
	return n.decide.asker.SaidYes(name) || n.decide.customProxyDecides()
}

// checkAuthority is checkName for what may carry a port.
func (n *names) checkAuthority(g grant, what string, named target) *Denial {
	if named == g.target {
		return nil
	}
	if named.Port != g.target.Port {
		return newDenial(g.target, g.dec, CodeSNIMismatch,
			fmt.Sprintf("%s %s is for another port", what, named))
	}
	return n.checkName(g, what, named.Host.String())
}
