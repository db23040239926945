package proxy

import (
	"errors"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
	"srun/proxy/internal/fakedns"
	"srun/proxy/internal/stub"
)

// nameServer answers DNS: with made-up addresses, for which nobody is asked, and with
// other records of an allowed name as the host's name servers have them.
type nameServer struct {
	*filter
	told    toldNames
	outside *stub.Resolver
	places  chan struct{} // of queries by datagram under way
}

// answer returns the reply to a query, or nil when it deserves none. It takes as long
// as the host's name servers do. stream tells TCP.
func (s *nameServer) answer(query []byte, stream bool) []byte {
	return fakedns.Reply(query, stream, s.answerQuestion)
}

func (s *nameServer) answerQuestion(q dnsmessage.Question) fakedns.Answer {
	if q.Class != dnsmessage.ClassINET {
		return fakedns.Answer{RCode: dnsmessage.RCodeRefused}
	}
	name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
	if strings.HasSuffix(name, ".arpa") {
		return s.answerReverse(q, name)
	}
	if name == "" {
		return fakedns.Answer{RCode: dnsmessage.RCodeRefused} // the root: nobody's name
	}
	base, service := fakedns.CutService(name)
	host, err := policy.ParseHost(base)
	if err != nil {
		s.refuseDNS(base, badTarget(base, err))
		return fakedns.Answer{RCode: dnsmessage.RCodeRefused}
	}
	to := targetOf(policy.HostPort{Host: host})
	if to.kind == anAddress {
		return fakedns.Answer{RCode: dnsmessage.RCodeNameError}
	}
	local := to.kind == theHost || strings.HasSuffix(to.String(), ".localhost") || s.ownName(to)
	var g grant
	if !local {
		if g, err = s.decide.admit(s.ctx, to, nameDoor{}); err != nil {
			s.refuseDNS(to.String(), err)
			return fakedns.Answer{RCode: dnsmessage.RCodeRefused}
		}
	}
	switch {
	case !local && fakedns.IsForwarded(q.Type) && s.mayAskOutside(g):
		return s.askOutside(g, q, service)
	case service:
		return fakedns.Answer{RCode: dnsmessage.RCodeNameError}
	case local:
		return fakedns.Answer{Addrs: fakedns.OfType(q.Type, loopback4, loopback6), TTL: dnsTTL}
	}
	return s.answerName(to, q.Type)
}

// answerName answers an allowed name, or one that will be asked for when it is
// connected to, with the addresses that stand for it.
func (s *nameServer) answerName(to target, kind dnsmessage.Type) fakedns.Answer {
	a4, a6, ok := s.rules.names.Assign(to.Host)
	if !ok {
		return fakedns.Answer{RCode: dnsmessage.RCodeServerFailure}
	}
	return fakedns.Answer{Addrs: fakedns.OfType(kind, a4, a6), TTL: dnsTTL}
}

// mayAskOutside reports that a name is allowed already, by a rule or the user, and that
// what is allowed does not all go to a custom proxy.
func (s *nameServer) mayAskOutside(g grant) bool {
	return !s.dials.exits.custom() && (g.dec.Verdict == policy.Allowed || s.decide.asker.SaidYes(g.target.Host))
}

// askOutside answers as the host's name servers do. An allowed name exists, for it has
// addresses inside; a service of it may not.
func (s *nameServer) askOutside(g grant, q dnsmessage.Question, service bool) fakedns.Answer {
	name, ok := askedName(q.Name.String(), g.target.Host)
	if !ok {
		return fakedns.Answer{RCode: dnsmessage.RCodeRefused}
	}
	reply, err := s.outside.Ask(s.ctx, name, q.Type)
	s.record.lookedUp(g, name, q.Type, err)
	switch {
	case err != nil:
		return fakedns.Answer{RCode: dnsmessage.RCodeServerFailure}
	case reply.RCode == dnsmessage.RCodeNameError && service:
		return fakedns.Answer{RCode: reply.RCode}
	}
	return fakedns.Answer{Records: fakedns.Passable(q, reply.Answers)}
}

// askedName is the name that is asked outside: the allowed one as srun writes it, with
// a service's labels in front. A name can be spelled in many ways that mean it, and
// each would say something to whoever is asked.
func askedName(raw string, host policy.Host) (string, bool) {
	raw = strings.TrimSuffix(strings.ToLower(raw), ".")
	base, _ := fakedns.CutService(raw)
	labels := strings.TrimSuffix(raw, base)
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
	}
	if strings.IndexFunc(labels, func(r rune) bool { return !plain(r) }) >= 0 {
		return "", false
	}
	return labels + host.String(), true
}

// ownName tells whether it is the sandbox's own, about which no rule is. A program
// asks for the host's when /etc/hosts has it in the other family only.
func (s *nameServer) ownName(to target) bool {
	in := s.decide.inside
	return in != nil && in.Name != "" && strings.EqualFold(to.Host.String(), in.Name) &&
		!s.rules.decided(policy.HostPort{Host: to.Host})
}

// answerReverse names a synthetic address; of others it knows nothing.
func (s *nameServer) answerReverse(q dnsmessage.Question, name string) fakedns.Answer {
	a, ok := fakedns.ParseReverse(name)
	if !ok || q.Type != dnsmessage.TypePTR {
		return fakedns.Answer{RCode: dnsmessage.RCodeNameError}
	}
	host, ok := s.rules.names.Lookup(a)
	if !ok {
		return fakedns.Answer{RCode: dnsmessage.RCodeNameError}
	}
	return fakedns.Answer{PTR: host.String() + ".", TTL: dnsTTL}
}

// toldNames are the names whose denial was reported: a program looks each up
// for several types, and again and again.
type toldNames struct {
	mu    sync.Mutex
	names map[string]struct{}
}

func (t *toldNames) add(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, told := t.names[name]; told || len(t.names) >= maxTold {
		return false
	}
	if t.names == nil {
		t.names = make(map[string]struct{})
	}
	t.names[name] = struct{}{}
	return true
}

// refuseDNS reports the denial of a name, once.
func (s *nameServer) refuseDNS(name string, err error) {
	if d, ok := errors.AsType[*Denial](err); ok && s.told.add(name) {
		s.record.report(d, nil, viaDNS)
	}
}
