package proxy

import (
	"srun/policy"

	"srun/proxy/internal/tlshello"
)

// checkHello holds a hello against the grant that the connection rests on.
func (s *Server) checkHello(g grant, h tlshello.Hello) *Denial {
	if s.cfg.Strict {
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
	return s.checkName(g, "TLS server name", h.ServerName)
}

// checkName holds a name that a client sent inside an allowed connection, as
// what, against the name that was allowed. For an address, which has no name,
// it is any name that the rules allow at that port.
func (s *Server) checkName(g grant, what, raw string) *Denial {
	name, err := policy.ParseHost(raw)
	if err != nil {
		return newDenial(g.target, g.dec, CodeSNIMismatch, what+" "+err.Error())
	}
	if name == g.target.Host || g.target.literal() && s.mayName(g, name) {
		return nil
	}
	return newDenial(g.target, g.dec, CodeSNIMismatch,
		what+" "+name.String()+" is not the allowed name "+g.target.Host.String())
}

// mayName reports that name may be asked for at an address.
func (s *Server) mayName(g grant, name policy.Host) bool {
	if a, ok := name.Addr(); g.target.kind == theHost && ok && a.IsLoopback() {
		return true
	}
	_, dec := s.judge(targetOf(policy.HostPort{Host: name, Port: g.target.Port}))
	switch dec.Verdict {
	case policy.Allowed:
		return true
	case policy.Denied:
		return false
	}
	return s.saidYes(name) || s.customProxyDecides()
}
