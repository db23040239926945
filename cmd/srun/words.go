package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/pflag"

	"srun/launcher"
	"srun/policy"
)

// This file owns the words that a user reads. Every line goes to standard
// error with the prefix "srun: ", begins in lower case, and has no final
// period. What was asked for (--help, --version, --explain) goes to standard
// output without the prefix.

const usageLine = `usage: srun [flags] [--] command [argument ...]
       srun [flags] -c 'shell line'
`

const usageText = usageLine + `
Runs a command in a sandbox: it writes only in the project and a /tmp of its
own, reads no credentials, and reaches only the hosts that are allowed.
`

const usageEnd = `
srun --help-all has every flag. The manual is srun(1); settings are in
srun-settings(5).
`

const usageAllEnd = `
Exit status: the command's own, also where a signal ended it; 127 not found;
126 cannot be executed; 125 srun failed and the command did not run; 124 the
time limit ended it. The manual is srun(1); settings are in srun-settings(5).
`

// printer writes lines for the user, one at a time, also from goroutines.
type printer struct {
	mu    sync.Mutex
	out   io.Writer
	debug bool
	mute  atomic.Bool // nobody reads: a line would be waited for
}

func newPrinter() *printer { return &printer{out: os.Stderr} }

func (p *printer) line(format string, args ...any) {
	if p.mute.Load() {
		return
	}
	text := fmt.Sprintf(format, args...)
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(p.out, "srun: %s\n", l)
	}
}

func (p *printer) debugf(format string, args ...any) {
	if p.debug {
		p.line(format, args...)
	}
}

// hinted is an error with a word on what to do about it.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() + "; " + h.hint }
func (h *hinted) Unwrap() error { return h.err }

// usageError turns pflag's words into srun's.
func usageError(err error, f *pflag.FlagSet) error {
	text, hint := err.Error(), "see srun --help"
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		text = fmt.Sprintf("--%s: %q: not a valid value", invalid.GetFlag().Name, invalid.GetValue())
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if short := unknown.GetSpecifiedShortnames(); len(short) > 1 { // -allow-domain
			name, _, _ = strings.Cut(short, "=")
		}
		if near := nearestFlag(name, f); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	return &hinted{errors.New(text), hint}
}

func nearestFlag(name string, f *pflag.FlagSet) string {
	var names []string
	for _, flag := range offered(f) {
		if len(flag.Name) > 1 {
			names = append(names, flag.Name)
		}
	}
	return policy.Nearest(name, names)
}

var remedies = map[policy.Remedy]string{
	policy.RemedyTrust:  "to trust: srun --trust",
	policy.RemedyReview: "look at it, then run srun --trust",
	policy.RemedyForget: "remove it to trust nothing, then run srun --trust",
}

// remedied is an error of package policy with a word on what to do about it.
func remedied(err error) error {
	if e, ok := errors.AsType[*policy.Error](err); ok && e.Remedy != 0 {
		return &hinted{err, remedies[e.Remedy]}
	}
	return err
}

// notice is the line of a notice, with what to do about it.
func notice(n policy.Notice) string {
	if n.Remedy != 0 {
		return n.String() + "; " + remedies[n.Remedy]
	}
	return n.String()
}

func notYet(flag string) error {
	return fmt.Errorf("%s: not in this version of srun", flag)
}

// hiddenTempLine is about a file of the host's /tmp that the command was to see.
func hiddenTempLine(path string) string {
	return fmt.Sprintf("withheld from the command: %s (it has a /tmp of its own); to allow: --allow-read %s", path, shellWord(path))
}

// servesLine is about a port that something inside listens on.
func servesLine(port uint16) string {
	return fmt.Sprintf("port %d is served inside; to reach it from here: --publish %d", port, port)
}

// hostPortLine is about a port of the host's localhost that the command looked for.
func hostPortLine(port uint16) string {
	return fmt.Sprintf("withheld from the command: localhost:%d of the host (it has a localhost of its own); to allow: --forward %d", port, port)
}

// startFailure names what went wrong before the command ran, and what to do.
func startFailure(err error) error {
	protection := launcher.Missing(err)
	switch {
	case errors.Is(err, launcher.ErrPublishOnHost):
		return fmt.Errorf("--publish: with --network host %w", err)
	case protection == "namespaces" && os.Getenv("SRUN") == "1":
		return &hinted{err, "this is inside srun, whose sandbox has no other in it: run the command without srun"}
	case protection == "namespaces":
		return &hinted{err, "srun --doctor says what this host lacks"}
	case protection != "":
		return &hinted{err, "srun --doctor says more"}
	}
	return err
}

// withheldLine names variables that were kept from a command which failed.
func withheldLine(names []string) string {
	named, more := names, ""
	if len(names) > mostNamed {
		named, more = names[:mostNamed], fmt.Sprintf(" and %d more", len(names)-mostNamed)
	}
	var flags []string
	for _, name := range named {
		if name == "SSH_AUTH_SOCK" {
			flags = append(flags, "--ssh-agent")
			continue
		}
		flags = append(flags, "--env "+name)
	}
	return fmt.Sprintf("withheld from the command: %s%s (environment, default deny list); to allow: %s",
		strings.Join(named, ", "), more, strings.Join(flags, " "))
}
