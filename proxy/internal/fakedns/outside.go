package fakedns

import (
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Types that dnsmessage has no name for.
const (
	typeSSHFP dnsmessage.Type = 44  // RFC 4255
	typeTLSA  dnsmessage.Type = 52  // RFC 6698
	typeURI   dnsmessage.Type = 256 // RFC 7553
	typeCAA   dnsmessage.Type = 257 // RFC 8659
)

// IsForwarded reports a type that only a name server outside can answer for an allowed
// name. Addresses are none, and neither is a type whose data may hold a compressed name
// that is not known here (RFC 3597).
func IsForwarded(kind dnsmessage.Type) bool {
	switch kind {
	case dnsmessage.TypeSRV, dnsmessage.TypeTXT, dnsmessage.TypeMX, dnsmessage.TypeCNAME, dnsmessage.TypeNS,
		dnsmessage.TypeSOA, dnsmessage.TypeHTTPS, dnsmessage.TypeSVCB, typeCAA, typeTLSA, typeSSHFP, typeURI:
		return true
	}
	return false
}

// Passable returns what of a name server's answer to a question may be told inside: the
// records of the type that was asked for, with the CNAMEs on the way, and no address
// that leads past the synthetic ones. The question's own name is spelled as q has it.
func Passable(q dnsmessage.Question, answers []dnsmessage.Resource) (passed []dnsmessage.Resource) {
	for _, r := range answers {
		h := r.Header
		if h.Class != dnsmessage.ClassINET || h.Type != q.Type && h.Type != dnsmessage.TypeCNAME {
			continue
		}
		switch body := r.Body.(type) {
		case *dnsmessage.HTTPSResource:
			if !withoutAddresses(&body.SVCBResource) {
				continue
			}
		case *dnsmessage.SVCBResource:
			if !withoutAddresses(body) {
				continue
			}
		}
		if strings.EqualFold(h.Name.String(), q.Name.String()) {
			r.Header.Name = q.Name
		}
		passed = append(passed, r)
	}
	return passed
}

// withoutAddresses takes out of a service binding (RFC 9460) the addresses, and the key
// for an encrypted hello, whose server name would be another than the allowed one. It
// returns false for a record that cannot do without.
func withoutAddresses(r *dnsmessage.SVCBResource) bool {
	taken := []dnsmessage.SVCParamKey{dnsmessage.SVCParamIPv4Hint, dnsmessage.SVCParamIPv6Hint, dnsmessage.SVCParamECH}
	mandatory, _ := r.GetParam(dnsmessage.SVCParamMandatory)
	for keys := range slices.Chunk(mandatory, 2) {
		if len(keys) < 2 || slices.Contains(taken, dnsmessage.SVCParamKey(binary.BigEndian.Uint16(keys))) {
			return false
		}
	}
	for _, key := range taken {
		r.DeleteParam(key)
	}
	return true
}
