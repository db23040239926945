package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"srun/launcher"
)

// reporter tells the user of denials: as they happen, and at the end.
type reporter struct {
	print *printer
	quiet bool
	kind  string    // "summary", "json" or "none"
	out   io.Writer // for JSON, and for a summary with --report-file

	mu    sync.Mutex
	seen  map[string]int // by line
	order []string
	file  *os.File
}

func newReporter(p *printer, o *options) (*reporter, error) {
	r := &reporter{print: p, quiet: o.quiet, kind: o.report, out: os.Stderr}
	if o.reportFile != "" {
		f, err := os.OpenFile(o.reportFile, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("--report-file: %w", err)
		}
		r.file, r.out = f, f
	}
	return r, nil
}

// denied takes one denial. The same act refused again is counted, not printed.
func (r *reporter) denied(d launcher.Denial) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := d.Line()
	if r.seen == nil {
		r.seen = make(map[string]int)
	}
	if r.seen[line]++; r.seen[line] == 1 {
		r.order = append(r.order, line)
		if !r.quiet && (r.kind != "json" || r.file != nil) {
			r.print.line("%s", line)
		}
	}
	if r.kind == "json" {
		r.json(jsonDenial{
			Time: d.Time, Type: "denied", Operation: d.Operation, Target: d.Target, Reason: d.Reason,
			Rule: d.Rule, Source: d.Source.String(), PID: d.PID, Command: d.Command, Allow: d.Allow,
		})
	}
}

type jsonDenial struct {
	Time      time.Time `json:"time"`
	Type      string    `json:"type"`
	Operation string    `json:"operation"`
	Target    string    `json:"target"`
	Reason    string    `json:"reason"`
	Rule      string    `json:"rule"`
	Source    string    `json:"source"`
	PID       int       `json:"pid"`
	Command   string    `json:"command"`
	Allow     string    `json:"allow"`
}

type jsonExit struct {
	Time   time.Time `json:"time"`
	Type   string    `json:"type"`
	Status int       `json:"status"`
	Denied int       `json:"denied"`
}

func (r *reporter) json(v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = r.out.Write(append(b, '\n'))
	}
	if err != nil {
		r.print.line("report: %v", err)
	}
}

// finish prints the summary, or the closing object.
func (r *reporter) finish(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.kind {
	case "json":
		total := 0
		for _, n := range r.seen {
			total += n
		}
		r.json(jsonExit{Time: time.Now(), Type: "exit", Status: status, Denied: total})
	case "summary":
		r.summary()
	}
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			r.print.line("--report-file: %v", err)
		}
	}
}

func (r *reporter) summary() {
	if len(r.order) == 0 {
		return
	}
	p := r.print
	if r.file != nil {
		p = &printer{out: r.file}
	}
	p.line("%d denied:", len(r.order))
	for _, line := range r.order {
		if n := r.seen[line]; n > 1 {
			line = fmt.Sprintf("%s (%d times)", line, n)
		}
		p.line("%s", line)
	}
}
