package proxy

import (
	"errors"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"srun/policy"
	"srun/proxy/internal/fakedns"
)

// nameServer answers DNS with made-up addresses. Nothing is asked outside.
type nameServer struct {
	*filter
	told toldNames
}

// answer returns the reply to a query, or nil when it deserves none.
func (s *nameServer) answer(query []byte) []byte { return fakedns.Reply(query, s.answerQuestion) }

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
	answer := s.answerName(to, q.Type)
	if service && answer.RCode == dnsmessage.RCodeSuccess {
		return fakedns.Answer{RCode: dnsmessage.RCodeNameError}
	}
	return answer
}

// answerName answers an allowed name, or one that will be asked for when it is
// connected to, with the addresses that stand for it.
func (s *nameServer) answerName(to target, kind dnsmessage.Type) fakedns.Answer {
	if to.kind == theHost || strings.HasSuffix(to.String(), ".localhost") || s.ownName(to) {
		return fakedns.Answer{Addrs: fakedns.OfType(kind, loopback4, loopback6), TTL: dnsTTL}
	}
	if _, err := s.decide.admit(s.ctx, to, nameDoor{}); err != nil {
		s.refuseDNS(to.String(), err)
		return fakedns.Answer{RCode: dnsmessage.RCodeRefused}
	}
	a4, a6, ok := s.rules.names.Assign(to.Host)
	if !ok {
		return fakedns.Answer{RCode: dnsmessage.RCodeServerFailure}
	}
	return fakedns.Answer{Addrs: fakedns.OfType(kind, a4, a6), TTL: dnsTTL}
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
