package fakedns

import (
	"errors"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// ednsSize is the UDP payload that replies offer to take; none of ours comes
// near it (RFC 6891, DNS flag day 2020).
const ednsSize = 1232

// Answer is what is said of one question. The zero Answer is NOERROR without
// records: the name exists, and has none of that type.
type Answer struct {
	RCode dnsmessage.RCode
	Addrs []netip.Addr // A and AAAA records
	PTR   string       // of a PTR record, a name with its final dot; "" for none
	TTL   uint32       // of all of them, in seconds
}

// Reply returns the reply to a query of one message, without TCP's length, or
// nil when it deserves none: it is no query, or its header cannot be read. answer
// is asked for a query of one question (RFC 9619); what is malformed otherwise
// gets FORMERR, and an operation other than QUERY NOTIMP.
func Reply(query []byte, answer func(dnsmessage.Question) Answer) []byte {
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
		return build(reply, nil, Answer{}, false)
	case err != nil || optErr != nil || len(questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
		return build(reply, nil, Answer{}, false)
	}
	said := answer(questions[0])
	reply.RCode = said.RCode
	return build(reply, &questions[0], said, edns)
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

// build packs a reply. The question goes back as it came, its case included:
// resolvers check that.
func build(h dnsmessage.Header, q *dnsmessage.Question, a Answer, edns bool) []byte {
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), h)
	b.EnableCompression()
	if q != nil {
		b.StartQuestions()
		b.Question(*q)
		b.StartAnswers()
		addAnswers(&b, q.Name, a)
	}
	if edns {
		var opt dnsmessage.ResourceHeader
		opt.SetEDNS0(ednsSize, h.RCode, false)
		b.StartAdditionals()
		b.OPTResource(opt, dnsmessage.OPTResource{})
	}
	msg, err := b.Finish()
	if err != nil {
		return nil
	}
	return msg
}

func addAnswers(b *dnsmessage.Builder, name dnsmessage.Name, a Answer) {
	h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: a.TTL}
	for _, addr := range a.Addrs {
		if addr.Is4() {
			b.AResource(h, dnsmessage.AResource{A: addr.As4()})
		} else {
			b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
	}
	if a.PTR == "" {
		return
	}
	if ptr, err := dnsmessage.NewName(a.PTR); err == nil {
		b.PTRResource(h, dnsmessage.PTRResource{PTR: ptr})
	}
}
