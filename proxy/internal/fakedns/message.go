package fakedns

import (
	"errors"
	"math"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// ednsSize is the UDP payload that replies offer to take, and the most that they have
// (RFC 6891, DNS flag day 2020); minSize is what every client takes (RFC 1035).
const (
	ednsSize = 1232
	minSize  = 512
)

// Answer is what is said of one question. The zero Answer is NOERROR without
// records: the name exists, and has none of that type.
type Answer struct {
	RCode dnsmessage.RCode
	Addrs []netip.Addr // A and AAAA records
	PTR   string       // of a PTR record, a name with its final dot; "" for none
	TTL   uint32       // of all of them, in seconds

	Records []dnsmessage.Resource // as a name server outside gave them: see Passable
}

// Reply returns the reply to a query of one message, without TCP's length, or
// nil when it deserves none: it is no query, or its header cannot be read. answer
// is asked for a query of one question (RFC 9619); what is malformed otherwise
// gets FORMERR, and an operation other than QUERY NOTIMP. What does not fit the
// datagram that the client takes is left out and marked as truncated, unless the reply
// goes over a stream.
func Reply(query []byte, stream bool, answer func(dnsmessage.Question) Answer) []byte {
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
	payload, edns, optErr := takesEDNS(&p)
	switch {
	case header.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
		return build(reply, nil, nil, false)
	case err != nil || optErr != nil || len(questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
		return build(reply, nil, nil, false)
	}
	said := answer(questions[0])
	reply.RCode = said.RCode
	limit := int(min(max(payload, minSize), ednsSize))
	if stream {
		limit = math.MaxUint16
	}
	msg := build(reply, questions, said.resources(questions[0].Name), edns)
	if len(msg) <= limit && msg != nil {
		return msg
	}
	if reply.Truncated = msg != nil; msg == nil {
		reply.RCode = dnsmessage.RCodeServerFailure
	}
	return build(reply, questions, nil, edns)
}

// takesEDNS looks for the OPT record among the additional ones, and returns the size of
// the datagram that it says may be sent.
func takesEDNS(p *dnsmessage.Parser) (payload uint16, found bool, err error) {
	if err := errors.Join(p.SkipAllAnswers(), p.SkipAllAuthorities()); err != nil {
		return 0, false, err
	}
	for {
		h, err := p.AdditionalHeader()
		switch {
		case err == dnsmessage.ErrSectionDone:
			return payload, found, nil
		case err != nil:
			return 0, false, err
		case h.Type == dnsmessage.TypeOPT:
			payload, found = uint16(h.Class), true
		}
		if err := p.SkipAdditional(); err != nil {
			return 0, false, err
		}
	}
}

// build packs a reply; nil is one that cannot be. The question goes back as it came,
// its case included: resolvers check that.
func build(h dnsmessage.Header, questions []dnsmessage.Question, answers []dnsmessage.Resource, edns bool) []byte {
	m := dnsmessage.Message{Header: h, Questions: questions, Answers: answers}
	if edns {
		var opt dnsmessage.ResourceHeader
		opt.SetEDNS0(ednsSize, h.RCode, false)
		m.Additionals = []dnsmessage.Resource{{Header: opt, Body: &dnsmessage.OPTResource{}}}
	}
	msg, err := m.Pack()
	if err != nil {
		return nil
	}
	return msg
}

// resources are the records of an answer about name.
func (a Answer) resources(name dnsmessage.Name) []dnsmessage.Resource {
	var all []dnsmessage.Resource
	add := func(body dnsmessage.ResourceBody) {
		h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: a.TTL}
		all = append(all, dnsmessage.Resource{Header: h, Body: body})
	}
	for _, addr := range a.Addrs {
		if addr.Is4() {
			add(&dnsmessage.AResource{A: addr.As4()})
		} else {
			add(&dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
	}
	if ptr, err := dnsmessage.NewName(a.PTR); err == nil && a.PTR != "" {
		add(&dnsmessage.PTRResource{PTR: ptr})
	}
	return append(all, a.Records...)
}
