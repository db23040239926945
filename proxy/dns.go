package proxy

import (
	"errors"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
)

// ednsSize is the UDP payload that replies offer to take; none of ours comes
// near it (RFC 6891, DNS flag day 2020).
const ednsSize = 1232

// dnsAnswer is what the proxy says of one question.
type dnsAnswer struct {
	rcode dnsmessage.RCode
	addrs []netip.Addr
	ptr   string // a name with its final dot
	ttl   uint32
}

// answerDNS returns the reply to a query, or nil when it deserves none. Nothing
// is asked outside.
func (s *Server) answerDNS(query []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil
	}
	reply := dnsmessage.Header{
		ID: header.ID, Response: true, OpCode: header.OpCode,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
	}
	questions, err := p.AllQuestions()
	edns, optErr := hasEDNS(&p)
	switch {
	case header.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
		return buildDNS(reply, nil, dnsAnswer{}, false)
	case err != nil || optErr != nil || len(questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
		return buildDNS(reply, nil, dnsAnswer{}, false)
	}
	answer := s.answerQuestion(questions[0])
	reply.RCode = answer.rcode
	return buildDNS(reply, &questions[0], answer, edns)
}

// hasEDNS looks for the OPT record among the additional ones.
func hasEDNS(p *dnsmessage.Parser) (bool, error) {
	if err := errors.Join(p.SkipAllAnswers(), p.SkipAllAuthorities()); err != nil {
		return false, err
	}
	found := false
	for {
		h, err := p.AdditionalHeader()
		switch {
		case err == dnsmessage.ErrSectionDone:
			return found, nil
		case err != nil:
			return false, err
		case h.Type == dnsmessage.TypeOPT:
			found = true
		}
		if err := p.SkipAdditional(); err != nil {
			return false, err
		}
	}
}

func (s *Server) answerQuestion(q dnsmessage.Question) dnsAnswer {
	if q.Class != dnsmessage.ClassINET {
		return dnsAnswer{rcode: dnsmessage.RCodeRefused}
	}
	name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
	if strings.HasSuffix(name, ".arpa") {
		return s.answerReverse(q, name)
	}
	if name == "" {
		return dnsAnswer{rcode: dnsmessage.RCodeRefused} // the root: nobody's name
	}
	base, service := cutService(name)
	host, err := policy.ParseHost(base)
	if err != nil {
		s.refuseDNS(base, badTarget(base, err))
		return dnsAnswer{rcode: dnsmessage.RCodeRefused}
	}
	if _, literal := host.Addr(); literal {
		return dnsAnswer{rcode: dnsmessage.RCodeNameError}
	}
	answer := s.answerName(host, q.Type)
	if service && answer.rcode == dnsmessage.RCodeSuccess {
		return dnsAnswer{rcode: dnsmessage.RCodeNameError}
	}
	return answer
}

// cutService cuts the labels of a service name (_http._tcp.example.com,
// RFC 2782) off: clients look them up on the way to the name itself.
func cutService(name string) (base string, service bool) {
	for strings.HasPrefix(name, "_") {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		name, service = rest, true
	}
	return name, service
}

// answerName answers an allowed name, or one that will be asked for when it is
// connected to, with the addresses that stand for it.
func (s *Server) answerName(host policy.Host, kind dnsmessage.Type) dnsAnswer {
	if name := host.String(); host == localhost || strings.HasSuffix(name, ".localhost") {
		return dnsAnswer{addrs: ofType(kind, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()), ttl: dnsTTL}
	}
	if d := s.judgeDNS(host); d != nil {
		s.refuseDNS(host.String(), d)
		return dnsAnswer{rcode: dnsmessage.RCodeRefused}
	}
	a4, a6, ok := s.names.assign(host)
	if !ok {
		return dnsAnswer{rcode: dnsmessage.RCodeServerFailure}
	}
	return dnsAnswer{addrs: ofType(kind, a4, a6), ttl: dnsTTL}
}

// judgeDNS returns the denial of a name that cannot be reached on any port.
func (s *Server) judgeDNS(host policy.Host) *Denial {
	var d *Denial
	target := policy.HostPort{Host: host}
	switch dec := s.domains.Load().DecideHost(host); {
	case dec.Verdict == policy.Allowed:
		return nil
	case dec.Verdict == policy.Denied:
		d = byRule(target, dec)
	case s.customProxyDecides() || s.cfg.Ask != nil && !s.cfg.Strict:
		return nil
	default:
		d = unlisted(target, unlistedReason)
	}
	d.Target = host.String()
	return d
}

// ofType picks the addresses of the family that is asked for.
func ofType(kind dnsmessage.Type, a4, a6 netip.Addr) []netip.Addr {
	switch kind {
	case dnsmessage.TypeA:
		return []netip.Addr{a4}
	case dnsmessage.TypeAAAA:
		return []netip.Addr{a6}
	case dnsmessage.TypeALL:
		return []netip.Addr{a4, a6}
	}
	return nil
}

// answerReverse names a synthetic address; of others it knows nothing.
func (s *Server) answerReverse(q dnsmessage.Question, name string) dnsAnswer {
	a, ok := parseReverse(name)
	if !ok || q.Type != dnsmessage.TypePTR {
		return dnsAnswer{rcode: dnsmessage.RCodeNameError}
	}
	host, ok := s.names.lookup(a)
	if !ok {
		return dnsAnswer{rcode: dnsmessage.RCodeNameError}
	}
	return dnsAnswer{ptr: host.String() + ".", ttl: dnsTTL}
}

// toldNames are the names whose denial was reported: a program looks each up
// for several types, and again and again.
type toldNames struct {
	mu    sync.Mutex
	names map[string]struct{}
}

func (t *toldNames) first(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, told := t.names[name]; told || len(t.names) >= maxNames {
		return false
	}
	if t.names == nil {
		t.names = make(map[string]struct{})
	}
	t.names[name] = struct{}{}
	return true
}

func (s *Server) refuseDNS(name string, d *Denial) {
	if s.told.first(name) {
		s.report(d, nil, "dns")
	}
}
