// Package audit writes the log of decisions: one JSON line for each, and one when
// what it allowed ends. A line carries no header and no body, and a hostile name
// cannot break it: names are validated and everything is JSON.
package audit

import (
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"srun/proxy/internal/oneline"
)

// Log writes to W, each line in one Write, whose errors are ignored. A nil Log
// writes nothing.
type Log struct {
	W io.Writer

	mu   sync.Mutex
	next atomic.Uint64
}

// Line is a line of the log. Event is "decision", "note", "request" (in a
// terminated TLS connection, or of HTTP/2 in the clear) or "close", and ID joins them.
type Line struct {
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

// Decision logs a decision, and returns what it began where it allowed something.
func (l *Log) Decision(line Line) Passage {
	if l == nil {
		return Passage{}
	}
	line.ID, line.Event = l.next.Add(1), "decision"
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	l.write(line)
	return Passage{l, line.ID, line.Time}
}

func (l *Log) write(line Line) {
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	b, err := json.Marshal(line)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.W.Write(append(b, '\n'))
}

// Passage is something allowed that will end. The zero Passage is not logged.
type Passage struct {
	log   *Log
	id    uint64
	begun time.Time
}

// Note logs something about what is under way.
func (p Passage) Note(text string) {
	if p.log != nil {
		p.log.write(Line{ID: p.id, Event: "note", Note: text})
	}
}

// Request logs a request inside something allowed.
func (p Passage) Request(method string) {
	if p.log != nil {
		p.log.write(Line{ID: p.id, Event: "request", Method: oneline.Printable(method)})
	}
}

// End logs that it is over.
func (p Passage) End(up, down int64) {
	if p.log != nil {
		p.log.write(Line{ID: p.id, Event: "close", BytesUp: up, BytesDn: down, Duration: time.Since(p.begun).Seconds()})
	}
}
