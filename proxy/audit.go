package proxy

import (
	"encoding/json"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"srun/proxy/internal/oneline"
)

// auditLog writes one JSON line per decision and one when what it allowed
// ends. A line carries no header and no body, and a hostile name cannot break
// it: names are validated and everything is JSON.
type auditLog struct {
	mu   sync.Mutex // a line is one Write
	next atomic.Uint64
}

// auditLine is a line of the log. Event is "decision", "note", "request" (of an
// terminated TLS connection) or "close", and ID joins them.
type auditLine struct {
	ID       uint64    `json:"id"`
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	Via      string    `json:"via,omitempty"` // http, connect, socks5, transparent, dns, forward or publish
	Host     string    `json:"host,omitempty"`
	Port     uint16    `json:"port,omitempty"`
	Method   string    `json:"method,omitempty"`  // of an HTTP request
	Verdict  string    `json:"verdict,omitempty"` // allowed or denied
	Rule     string    `json:"rule,omitempty"`
	Source   string    `json:"source,omitempty"`
	Reason   string    `json:"reason,omitempty"`  // of a denial
	Address  string    `json:"address,omitempty"` // that was dialled
	From     string    `json:"from,omitempty"`    // who came, to a published port
	Error    string    `json:"error,omitempty"`   // why it could not be reached
	Note     string    `json:"note,omitempty"`    // what was passed and is worth knowing
	BytesUp  int64     `json:"bytes_up,omitempty"`
	BytesDn  int64     `json:"bytes_down,omitempty"`
	Duration float64   `json:"seconds,omitempty"`
	PID      int       `json:"pid,omitempty"`
	Command  string    `json:"command,omitempty"`
}

func (s *Server) audit(line auditLine) {
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	b, err := json.Marshal(line)
	if err != nil {
		return
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.cfg.Audit.Write(append(b, '\n'))
}

// report tells the caller and the audit log of a denial, with the process
// behind conn, which may be nil.
func (s *Server) report(d *Denial, conn net.Conn, via string) {
	if conn != nil && s.cfg.Peer != nil && d.PID == 0 && d.Command == "" {
		p := s.cfg.Peer(conn)
		d.PID, d.Command = p.PID, p.Command
	}
	s.auditDenied(d, via)
	if s.cfg.Denied != nil {
		s.cfg.Denied(*d)
	}
}

// auditDenied logs a denial.
func (s *Server) auditDenied(d *Denial, via string) {
	if s.cfg.Audit == nil {
		return
	}
	line := auditLine{
		ID: s.log.next.Add(1), Time: d.Time, Event: "decision", Via: via, Verdict: "denied",
		Host: d.Host.Host.String(), Port: d.Host.Port, Rule: d.Rule, Source: d.Source.String(), Reason: d.Reason,
		Method: d.Method,
		PID:    d.PID, Command: d.Command,
	}
	if line.Host == "" {
		line.Host = d.Target
	}
	s.audit(line)
}

// passage is something allowed that will end. The zero passage is not logged.
type passage struct {
	s     *Server
	id    uint64
	begun time.Time
}

// auditAllowed logs a grant: what it led to, or why it led nowhere.
func (s *Server) auditAllowed(g grant, via, method string, conn net.Conn, err error) passage {
	if s.cfg.Audit == nil {
		return passage{}
	}
	p := passage{s: s, id: s.log.next.Add(1), begun: time.Now()}
	line := auditLine{
		ID: p.id, Time: p.begun, Event: "decision", Via: via, Method: method, Verdict: "allowed",
		Host: g.target.Host.String(), Port: g.target.Port, Rule: g.rule(), Source: g.dec.Source.String(),
	}
	if g.from != nil {
		line.From = g.from.String()
	}
	if err != nil {
		line.Error = oneline.Printable(err.Error())
	} else if conn != nil {
		line.Address = conn.RemoteAddr().String()
	}
	s.audit(line)
	return p
}

// note logs something about what is under way.
func (p passage) note(text string) {
	if p.s != nil {
		p.s.audit(auditLine{ID: p.id, Event: "note", Note: text})
	}
}

// request logs a request inside something allowed.
func (p passage) request(method string) {
	if p.s != nil {
		p.s.audit(auditLine{ID: p.id, Event: "request", Method: oneline.Printable(method)})
	}
}

// end logs that it is over.
func (p passage) end(up, down int64) {
	if p.s != nil {
		p.s.audit(auditLine{ID: p.id, Event: "close", BytesUp: up, BytesDn: down, Duration: time.Since(p.begun).Seconds()})
	}
}
