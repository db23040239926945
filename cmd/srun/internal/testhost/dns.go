//go:build linux

package testhost

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Names are the names with addresses of their own. Every other name below
// srun.test is at ServerAddr, below wild.srun.test at WildAddr, and names that
// start with nx do not exist. A name that starts with rebind is at ServerAddr
// when it is asked for first, and at 127.0.0.1 from then on.
var Names = map[string][]string{
	"denied.srun.test":   {DeniedAddr},
	"private.srun.test":  {PrivateAddr},
	"loopback.srun.test": {"127.0.0.1"},
	"self.srun.test":     {HostAddr},
	"metadata.srun.test": {MetadataAddr},
	"mixed.srun.test":    {"127.0.0.1", ServerAddr},
	"mapped.srun.test":   {"::ffff:127.0.0.1"},
	"six.srun.test":      {ServerAddr6},
}

// services are the records that are no addresses, by type and name.
var services = map[string]dnsmessage.ResourceBody{
	"SRV _chat._tcp.www.srun.test":    &dnsmessage.SRVResource{Port: 5222, Target: dnsmessage.MustNewName("chat.srun.test.")},
	"TXT www.srun.test":               &dnsmessage.TXTResource{TXT: []string{"text of www"}},
	"TXT denied.srun.test":            &dnsmessage.TXTResource{TXT: []string{"text of denied"}},
	"SRV _chat._tcp.denied.srun.test": &dnsmessage.SRVResource{Port: 5222, Target: dnsmessage.MustNewName("chat.srun.test.")},
	"MX www.srun.test":                &dnsmessage.MXResource{MX: dnsmessage.MustNewName("mail.srun.test.")},
	"HTTPS www.srun.test": &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{
		Priority: 1, Target: dnsmessage.MustNewName("."), Params: []dnsmessage.SVCParam{
			{Key: dnsmessage.SVCParamALPN, Value: []byte("\x02h2")},
			{Key: dnsmessage.SVCParamIPv4Hint, Value: []byte("\xc6\x33\x64\x0a")}, // ServerAddr
		},
	}},
}

// nameServer answers on a UDP socket.
type nameServer struct {
	conn    net.PacketConn
	records *recorder
	asked   map[string]bool // names whose A record was asked for
}

func (s *nameServer) serve() {
	packet := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if reply, err := s.answer(packet[:n]); err == nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) answer(query []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))
	kind := strings.TrimPrefix(question.Type.String(), "Type")
	s.records.note("dns %s %s", kind, name)

	addrs, found := s.lookup(name, question.Type)
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{question},
	}
	if !found {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, addr := range addrs {
		reply.Answers = answering(reply.Answers, question, resource(question.Type, addr))
	}
	reply.Answers = answering(reply.Answers, question, services[kind+" "+name])
	return reply.Pack()
}

// answering adds a record, if it is one.
func answering(all []dnsmessage.Resource, q dnsmessage.Question, body dnsmessage.ResourceBody) []dnsmessage.Resource {
	if body == nil {
		return all
	}
	return append(all, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: body})
}

// lookup returns the addresses of name, and whether it exists.
func (s *nameServer) lookup(name string, kind dnsmessage.Type) ([]string, bool) {
	below, ok := strings.CutSuffix(name, ".srun.test")
	switch {
	case !ok, strings.HasPrefix(below, "nx"):
		return nil, false
	case Names[name] != nil:
		return Names[name], true
	case strings.HasSuffix(below, ".wild"):
		return []string{WildAddr}, true
	case strings.HasPrefix(below, "rebind") && s.asked[name]:
		return []string{"127.0.0.1"}, true
	}
	s.asked[name] = s.asked[name] || kind == dnsmessage.TypeA
	return []string{ServerAddr}, true
}

// resource returns addr as an answer to a question of that type, nil when it
// is of the other family.
func resource(kind dnsmessage.Type, text string) dnsmessage.ResourceBody {
	addr := netip.MustParseAddr(text)
	switch {
	case kind == dnsmessage.TypeA && addr.Is4():
		return &dnsmessage.AResource{A: addr.As4()}
	case kind == dnsmessage.TypeAAAA && addr.Is6():
		return &dnsmessage.AAAAResource{AAAA: addr.As16()}
	}
	return nil
}
