package proxy

import (
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"srun/proxy/internal/audit"
	"srun/proxy/internal/oneline"
	"srun/proxy/internal/question"
)

// reporter tells the caller and the audit log of what was decided.
type reporter struct {
	denied func(Denial)                    // nil for nobody
	peer   func(net.Conn) question.Process // nil for unknown
	log    *audit.Log                      // nil for none
}

// who is the process behind a connection, which may be nil.
func (r *reporter) who(conn net.Conn) question.Process {
	if conn == nil || r.peer == nil {
		return question.Process{}
	}
	return r.peer(conn)
}

// report tells of a denial, with the process behind conn, which may be nil.
func (r *reporter) report(d *Denial, conn net.Conn, via string) {
	if d.PID == 0 && d.Command == "" {
		p := r.who(conn)
		d.PID, d.Command = p.PID, p.Command
	}
	r.logDenied(d, via)
	if r.denied != nil {
		r.denied(*d)
	}
}

func (r *reporter) logDenied(d *Denial, via string) {
	if r.log == nil {
		return
	}
	line := audit.Line{
		Time: d.Time, Via: via, Verdict: "denied",
		Host: d.Host.Host.String(), Port: d.Host.Port, Rule: d.Rule, Source: d.Source.String(), Reason: d.Reason,
		Method: d.Method,
		PID:    d.PID, Command: d.Command,
	}
	if line.Host == "" {
		line.Host = d.Target
	}
	r.log.Decision(line)
}

// allowed logs a grant: what it led to, or why it led nowhere.
func (r *reporter) allowed(g grant, via, method string, conn net.Conn, err error) audit.Passage {
	if r.log == nil {
		return audit.Passage{}
	}
	line := audit.Line{
		Via: via, Method: method, Verdict: "allowed",
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
	return r.log.Decision(line)
}

// lookedUp logs a question about an allowed name that went to the host's name servers.
func (r *reporter) lookedUp(g grant, name string, kind dnsmessage.Type, err error) {
	if r.log == nil {
		return
	}
	line := audit.Line{
		Via: viaDNS, Verdict: "allowed", Host: g.target.Host.String(), Rule: g.rule(), Source: g.dec.Source.String(),
		Note: strings.TrimPrefix(kind.String(), "Type") + " " + oneline.Printable(name),
	}
	if err != nil {
		line.Error = oneline.Printable(err.Error())
	}
	r.log.Decision(line)
}
