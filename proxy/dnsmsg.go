package proxy

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// buildDNS packs a reply. The question goes back as it came, its case included:
// resolvers check that.
func buildDNS(h dnsmessage.Header, q *dnsmessage.Question, a dnsAnswer, edns bool) []byte {
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

func addAnswers(b *dnsmessage.Builder, name dnsmessage.Name, a dnsAnswer) {
	h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: a.ttl}
	for _, addr := range a.addrs {
		if addr.Is4() {
			b.AResource(h, dnsmessage.AResource{A: addr.As4()})
		} else {
			b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
	}
	if a.ptr == "" {
		return
	}
	if ptr, err := dnsmessage.NewName(a.ptr); err == nil {
		b.PTRResource(h, dnsmessage.PTRResource{PTR: ptr})
	}
}

// parseReverse reads the address of a name such as 4.0.18.198.in-addr.arpa.
func parseReverse(name string) (netip.Addr, bool) {
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		return parseReverseLabels(rest, 4, 10, 1)
	}
	if rest, ok := strings.CutSuffix(name, ".ip6.arpa"); ok {
		return parseReverseLabels(rest, 32, 16, 2)
	}
	return netip.Addr{}, false
}

// parseReverseLabels reads labels, least significant first, several to a byte.
func parseReverseLabels(s string, labels, base, perByte int) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != labels {
		return netip.Addr{}, false
	}
	b := make([]byte, labels/perByte)
	for at := range labels {
		n, err := strconv.ParseUint(parts[labels-1-at], base, 8/perByte)
		if err != nil {
			return netip.Addr{}, false
		}
		b[at/perByte] = b[at/perByte]<<(8/perByte%8) | byte(n)
	}
	return netip.AddrFromSlice(b)
}
