package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"srun/proxy/internal/origdst"
)

// ServeDNS answers queries on a UDP socket, from the address that each was sent
// to. It returns when the socket fails or the server closes, nil in that case.
func (s *Server) ServeDNS(pc net.PacketConn) error {
	if !s.Expect(pc) {
		return nil
	}
	defer s.registry.Untrack(pc)
	udp, ok := pc.(*net.UDPConn)
	if !ok {
		return s.answerPackets(pc)
	}
	if err := origdst.TellDestination(udp); err != nil {
		return err
	}
	return s.answerDatagrams(udp)
}

// answerDatagrams is ServeDNS where the socket tells where a query was sent.
func (s *Server) answerDatagrams(udp *net.UDPConn) error {
	buf, oob := make([]byte, 4096), make([]byte, 256)
	for {
		n, oobn, flags, from, err := udp.ReadMsgUDPAddrPort(buf, oob)
		switch {
		case s.over():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			time.Sleep(5 * time.Millisecond)
			continue
		case origdst.Truncated(flags):
			continue
		}
		query, source := bytes.Clone(buf[:n]), bytes.Clone(oob[:oobn])
		s.dns.apart(func() {
			if reply := s.dns.answer(query, false); reply != nil {
				udp.WriteMsgUDPAddrPort(reply, origdst.ReplyFrom(source), from)
			}
		})
	}
}

// answerPackets is ServeDNS on any other packet connection.
func (s *Server) answerPackets(pc net.PacketConn) error {
	buf := make([]byte, 4096)
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case s.over():
			return nil
		case err != nil:
			return err
		}
		query := bytes.Clone(buf[:n])
		s.dns.apart(func() {
			if reply := s.dns.answer(query, false); reply != nil {
				pc.WriteTo(reply, from)
			}
		})
	}
}

// apart answers a query on a goroutine of its own, for the host's name servers may take
// their time. Beyond maxQueries the next waits for a place.
func (s *nameServer) apart(answer func()) {
	s.places <- struct{}{}
	go func() {
		defer func() { <-s.places }()
		answer()
	}()
}

// ServeDNSTCP answers queries on TCP connections, any number on each. It
// returns when the listener fails or the server closes, nil in that case.
func (s *Server) ServeDNSTCP(l net.Listener) error {
	return s.serve(l, func(c *session) { c.serveDNS(&s.dns) })
}

func (c *session) serveDNS(names *nameServer) {
	var size [2]byte
	for {
		c.conn.SetDeadline(time.Now().Add(dnsTCPIdle))
		if _, err := io.ReadFull(c.conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c.conn, query); err != nil {
			return
		}
		reply := names.answer(query, true)
		if reply == nil {
			return
		}
		framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reply)), uint16(len(reply)))
		if _, err := c.conn.Write(append(framed, reply...)); err != nil {
			return
		}
	}
}
