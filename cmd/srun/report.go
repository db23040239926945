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
	spell spelling
	quiet bool
	kind  string    // "summary", "json" or "none"
	out   io.Writer // for JSON, and for a summary with --report-file

	mu    sync.Mutex
	seen  map[string]*told // by line
	order []string
	more  int // denials beyond mostLines
	file  *os.File
	now   func() time.Time

	spool    spool
	finished bool
}

// told is a denial that there was, and how often.
type told struct {
	times int
	last  time.Time // when the user was told
}

// tellAgain is the time after which the user is told of the same denial again.
const tellAgain = 10 * time.Second

// mostTold is how many lines a user keeps in mind: more of them come once more
// at the end, together.
const mostTold = 5

// newReporter opens --report-file, which the policy then keeps from the command.
func newReporter(p *printer, o *options, pol *policy.Policy) (*reporter, error) {
	r := &reporter{print: p, spell: spelling{pol.Home}, quiet: o.quiet, kind: o.report, out: os.Stderr, now: time.Now}
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
		r = &reporter{print: p, kind: o.report, out: os.Stderr, now: time.Now}
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
	if ignored {
		return
	}
	r.mu.Lock()
	line := r.spell.denial(d)
	tell := r.count(line) && r.tells()
	line = r.counted(line)
	object := jsonDenial{
		Time: d.Time, Type: "denied", Operation: d.Operation, Target: d.Target, Reason: d.Reason,
		Rule: d.Rule, Source: d.Source.String(), PID: d.PID, Command: d.Command, Allow: r.spell.flags(d.Allow),
	}
	if r.kind == "json" && r.file != nil {
		r.json(object)
	}
	r.mu.Unlock()
	if tell {
		r.spool.put(func() { r.print.line("%s", line) })
	}
	if r.kind == "json" && r.file == nil {
		r.spool.put(func() { r.json(object) })
	}
}

// tells tells whether the user reads of denials as they happen.
func (r *reporter) tells() bool {
	return !r.quiet && (r.kind != "json" || r.file != nil)
}

// count takes a line down and reports whether it is time to tell of it.
func (r *reporter) count(line string) bool {
	now := r.now()
	was := r.seen[line]
	switch {
	case was != nil:
		was.times++
		if now.Sub(was.last) < tellAgain {
			return false
		}
		was.last = now
		return true
	case len(r.seen) == mostLines:
		r.more++
		return false
	case r.seen == nil:
		r.seen = make(map[string]*told)
	}
	r.seen[line] = &told{1, now}
	r.order = append(r.order, line)
	return true
}

// counted is a line with how often it was true.
func (r *reporter) counted(line string) string {
	if was := r.seen[line]; was != nil && was.times > 1 {
		return fmt.Sprintf("%s (%d times)", line, was.times)
	}
	return line
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

// patience is how long the end waits for who reads what is told, and takes nothing. A
// run that was ended does not go on because nobody reads.
func (e ending) patience() time.Duration {
	if errors.Is(e.err, launcher.ErrTimeout) || endedBySignal(e.status) {
		return 2 * time.Second
	}
	return time.Hour
}

// finish prints the summary, or the closing object. The first call counts.
func (r *reporter) finish(e ending) {
	lost, stuck := r.spool.wait(e.patience())
	r.print.mute.Store(stuck)
	if lost > 0 {
		r.print.line("%d denials came too fast to be told", lost)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return
	}
	r.finished = true
	switch {
	case stuck && r.file == nil: // nobody reads it
	case r.kind == "json":
		total := r.more
		for _, t := range r.seen {
			total += t.times
		}
		r.json(e.json(total))
	case r.kind == "summary":
		r.summary()
	}
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			r.print.line("--report-file: %v", err)
		}
	}
}

// withheld says what is known to have been kept from a command that failed.
func (r *reporter) withheld(lines []string) {
	if !r.tells() || r.kind == "none" {
		return
	}
	for _, line := range lines {
		r.spool.put(func() { r.print.line("%s", line) })
	}
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

// summary comes where the user has not read the lines as they happened, or has
// read many.
func (r *reporter) summary() {
	if len(r.order) == 0 || r.tells() && r.file == nil && len(r.order) <= mostTold {
		return
	}
	p := r.print
	if r.file != nil {
		p = &printer{out: r.file}
	}
	p.line("%d denied:", len(r.order))
	for _, line := range r.order {
		p.line("%s", r.counted(line))
	}
	if r.more > 0 {
		p.line("... and %d more", r.more)
	}
}
