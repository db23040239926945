package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"srun/launcher"
	"srun/policy"
)

// mostLines bounds how many different denials a reporter keeps: the command
// chooses the names in them.
const mostLines = 10_000

// reporter tells the user of denials: as they happen, and at the end.
type reporter struct {
	print *printer
	quiet bool
	trace bool      // files are watched as well
	kind  string    // "summary", "json" or "none"
	out   io.Writer // for JSON, and for a summary with --report-file

	mu    sync.Mutex
	seen  map[string]int // by line
	order []string
	more  int // denials beyond mostLines
	any   bool
	file  *os.File

	finished bool
}

// newReporter opens --report-file, which the policy then keeps from the command.
func newReporter(p *printer, o *options, pol *policy.Policy) (*reporter, error) {
	r := &reporter{print: p, quiet: o.quiet, trace: o.trace, kind: o.report, out: os.Stderr}
	if o.reportFile != "" {
		f, err := openOwn(pol, "--report-file", o.reportFile, os.O_TRUNC)
		if err != nil {
			return nil, err
		}
		r.file, r.out = f, f
	}
	return r, nil
}

// failed ends the report of a run that did not come about, which may have been
// before there was one.
func (o *options) failed(p *printer, status int, err error) {
	r := o.reporter
	switch {
	case r == nil && o.report != "json":
		return
	case r == nil:
		r = &reporter{print: p, kind: o.report, out: os.Stderr}
		if o.reportFile == "" || changeableLink(nil, o.reportFile) != "" {
			break
		}
		if f, _, err := openNoLink(o.reportFile, os.O_TRUNC); err == nil {
			r.file, r.out = f, f
		}
	}
	r.finish(ending{status: status, err: err})
}

// denied takes one denial. The same act refused again is counted, not printed;
// one that the user wants to hear nothing of, neither.
func (r *reporter) denied(d launcher.Denial, ignored bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.any = true
	if ignored {
		return
	}
	if line := d.Line(); r.count(line) && !r.quiet && (r.kind != "json" || r.file != nil) {
		r.print.line("%s", line)
	}
	if r.kind == "json" {
		r.json(jsonDenial{
			Time: d.Time, Type: "denied", Operation: d.Operation, Target: d.Target, Reason: d.Reason,
			Rule: d.Rule, Source: d.Source.String(), PID: d.PID, Command: d.Command, Allow: d.Allow,
		})
	}
}

// count takes a line down and reports whether it is a new one.
func (r *reporter) count(line string) bool {
	_, again := r.seen[line]
	switch {
	case again:
		r.seen[line]++
		return false
	case len(r.seen) == mostLines:
		r.more++
		return false
	case r.seen == nil:
		r.seen = make(map[string]int)
	}
	r.seen[line] = 1
	r.order = append(r.order, line)
	return true
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

// jsonExit is the last object, of every run and of one that did not come about.
type jsonExit struct {
	Time    time.Time `json:"time"`
	Type    string    `json:"type"`
	Status  int       `json:"status"`  // srun's own
	Signal  string    `json:"signal"`  // that killed the command, as in SIGTERM, or ""
	Timeout bool      `json:"timeout"` // --timeout ended it
	Error   string    `json:"error"`   // srun's words, "" where the command ran to its end
	Denied  int       `json:"denied"`
}

// ending is how a run came to its end, or to none.
type ending struct {
	status int
	signal syscall.Signal // 0 for none
	err    error
}

func (e ending) json(denied int) jsonExit {
	exit := jsonExit{Time: time.Now(), Type: "exit", Status: e.status, Timeout: errors.Is(e.err, launcher.ErrTimeout), Denied: denied}
	if e.signal != 0 {
		exit.Signal = unix.SignalName(e.signal)
	}
	if e.err != nil {
		exit.Error = e.err.Error()
	}
	return exit
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

// finish prints the summary, or the closing object. The first call counts.
func (r *reporter) finish(e ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return
	}
	r.finished = true
	switch r.kind {
	case "json":
		total := r.more
		for _, n := range r.seen {
			total += n
		}
		r.json(e.json(total))
	case "summary":
		r.summary()
	}
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			r.print.line("--report-file: %v", err)
		}
	}
}

// hint tells who looks for the reason of a failure where file denials are seen.
// A command that somebody ended needs none, nor does one that somebody else
// reads the report of.
func (r *reporter) hint(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case status == 0, endedBySignal(status), r.any, r.trace, r.quiet, r.kind == "none", r.kind == "json" && r.file == nil:
		return
	}
	r.print.line(hintTrace)
}

// endedBySignal reports whether a status, be it srun's or that of a shell which
// it ran, tells of a signal that ends commands on purpose.
func endedBySignal(status int) bool {
	switch syscall.Signal(status - signalStatus) {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGPIPE, syscall.SIGTERM:
		return true
	}
	return false
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
	if r.more > 0 {
		p.line("... and %d more", r.more)
	}
}
