package stub

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// udpSize is what we take in one datagram (RFC 6891, DNS flag day 2020).
const udpSize = 1232

// errMismatch says that a message is no answer to the question.
var errMismatch = errors.New("the name server's answer is to another question")

func newQuery(q dnsmessage.Question) (query []byte, id uint16, err error) {
	var random [2]byte
	rand.Read(random[:]) // never fails
	id = binary.BigEndian.Uint16(random[:])
	var opt dnsmessage.ResourceHeader
	if err := opt.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false); err != nil {
		return nil, 0, err
	}
	m := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{q},
		Additionals: []dnsmessage.Resource{{Header: opt, Body: &dnsmessage.OPTResource{}}},
	}
	query, err = m.Pack()
	return query, id, err
}

// overUDP sends the query and reads until its answer comes or the socket's time is up:
// what another sent in between, or an answer that came late, is not the end of it.
func overUDP(conn net.Conn, query []byte, id uint16, q dnsmessage.Question) (reply Reply, truncated bool, err error) {
	if _, err := conn.Write(query); err != nil {
		return Reply{}, false, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return Reply{}, false, err
		}
		if reply, truncated, err = parse(buf[:n], id, q); err == nil {
			return reply, truncated, nil
		}
	}
}

// overTCP is overUDP where the answer is as long as it likes, up to 64 KiB.
func overTCP(conn net.Conn, query []byte, id uint16, q dnsmessage.Question) (Reply, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	if _, err := conn.Write(framed); err != nil {
		return Reply{}, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return Reply{}, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return Reply{}, err
	}
	reply, _, err := parse(buf, id, q)
	return reply, err
}

// parse reads a message that must be the answer to a question.
func parse(msg []byte, id uint16, q dnsmessage.Question) (reply Reply, truncated bool, err error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return Reply{}, false, err
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return Reply{}, false, err
	}
	if !h.Response || h.ID != id || h.OpCode != 0 || len(questions) != 1 || !same(questions[0], q) {
		return Reply{}, false, errMismatch
	}
	if h.Truncated {
		return Reply{}, true, nil
	}
	answers, err := p.AllAnswers()
	return Reply{RCode: h.RCode, Answers: answers}, false, err
}

// same compares as DNS does, without regard to case.
func same(a, b dnsmessage.Question) bool {
	return a.Type == b.Type && a.Class == b.Class && strings.EqualFold(a.Name.String(), b.Name.String())
}
