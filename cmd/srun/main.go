// The runtime need not read the cgroup's files at every start to learn of a
// processor limit: the proxy is happy with any number.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// The srun command runs any command in a sandbox. See package srun/launcher
// for the sandbox itself; this package has the command line, the words that a
// user reads, the questions, and the exit status.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"srun/launcher"
	"srun/policy"
)

// version is set by the linker (Makefile).
var version = "devel"

func main() { os.Exit(run(os.Args[0], os.Args[1:])) }

// run is the program; it returns its exit status.
func run(name string, args []string) int {
	p := newPrinter()
	if shell := shellOf(name); shell != nil {
		args = append(append([]string{"--"}, shell...), args...)
	}
	o, flags, err := parse(args)
	if err != nil {
		o.reportAnyway(args)
		return o.fail(p, statusFailed, err)
	}
	p.debug = o.debug
	if done, status := o.information(p, flags); done {
		return status
	}
	opts, err := o.policyOptions()
	if err != nil {
		return o.fail(p, statusFailed, err)
	}
	switch {
	case o.trust:
		return trust(p, opts)
	case o.clearCaches != "":
		return o.removeCaches(p, opts)
	}
	status, err := o.sandbox(p, opts)
	if err != nil {
		return o.fail(p, status, err)
	}
	if o.killedBy != 0 {
		dieOf(o.killedBy)
	}
	return status
}

// fail says what went wrong, in words and in the report.
func (o *options) fail(p *printer, status int, err error) int {
	p.line("%v", err)
	if o.explain == "" {
		o.failed(p, status, err)
	}
	return status
}

// information serves the flags that print something and run nothing.
func (o *options) information(p *printer, flags *pflag.FlagSet) (done bool, status int) {
	var err error
	switch {
	case o.help, o.helpAll:
		_, err = io.WriteString(os.Stdout, help(flags, o.helpAll))
	case o.version:
		_, err = fmt.Println("srun", version)
	case o.completion != "":
		err = printCompletion(os.Stdout, o.completion, flags)
	case o.doctor:
		return true, doctor(p)
	case o.trust, o.clearCaches != "":
		return false, 0
	case len(o.command) == 0 && o.line == "" && o.explain == "":
		fmt.Fprint(os.Stderr, "srun: no command\n"+usageLine)
		o.failed(p, statusFailed, errors.New("no command"))
		return true, statusFailed
	default:
		return false, 0
	}
	if err != nil {
		p.line("%v", err)
		return true, statusFailed
	}
	return true, 0
}

// policyOptions gathers what package policy does not look up by itself.
func (o *options) policyOptions() (policy.Options, error) {
	dir, err := os.Getwd()
	if err != nil {
		return policy.Options{}, fmt.Errorf("working directory: %w", err)
	}
	opts := policy.Options{
		Dir:           dir,
		ConfigHome:    os.Getenv("XDG_CONFIG_HOME"),
		StateHome:     os.Getenv("XDG_STATE_HOME"),
		CacheHome:     os.Getenv("XDG_CACHE_HOME"),
		RunsFile:      runsFile(),
		ManagedDir:    managedDir,
		GOOS:          goos,
		SettingsFiles: o.settings,
		NoProject:     o.noProject,
		Flags:         o.policy,
		Stands:        o.stands,
	}
	homes(&opts)
	return opts, nil
}

// load resolves the policy, says what was left out of it, and refuses what
// this build cannot enforce.
func (o *options) load(p *printer, opts policy.Options) (*policy.Policy, error) {
	pol, notices, err := policy.Load(opts)
	if err != nil {
		return nil, remedied(err)
	}
	for _, n := range notices {
		p.line("%s", notice(n))
	}
	if errs := pol.Unsupported(launcher.Capabilities(), opts.Flags); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return pol, o.unsupported()
}

// unsupported refuses the flags whose issues are still open.
func (o *options) unsupported() error {
	switch {
	case o.trace && goos != "linux":
		return notYet("--trace")
	case o.learn != "":
		return notYet("--learn")
	case o.explain == "seatbelt":
		return notYet("--explain=seatbelt")
	}
	return nil
}

// sandbox runs the command and returns its status; or, with an error, the
// status that says why it did not run.
func (o *options) sandbox(p *printer, opts policy.Options) (int, error) {
	pol, err := o.load(p, opts)
	if err != nil {
		return statusFailed, err
	}
	workDir, err := openWorkDir()
	if err != nil {
		return statusFailed, fmt.Errorf("working directory: %w", err)
	}
	defer workDir.Close()
	if o.explain != "" {
		return explain(o, pol)
	}
	updates, withheld, err := o.openControl()
	if err != nil {
		return statusFailed, err
	}
	if err := o.keepAsked(pol); err != nil {
		return statusFailed, err
	}
	report, err := newReporter(p, o, pol)
	if err != nil {
		return statusFailed, err
	}
	o.reporter, o.interrupted = report, make(chan struct{}, 1)
	keeper := &keeper{opts: opts, print: p}
	cmd := o.sandboxed(p, pol, report, keeper)
	cmd.WorkDir, cmd.Withheld = workDir, withheld
	var reopen func()
	if o.auditLog != "" {
		log, err := openAuditLog(p, pol, o.auditLog)
		if err != nil {
			return statusFailed, err
		}
		defer log.close()
		cmd.Audit, reopen = log, func() { log.reopen(pol) }
	}
	var signals signals
	cmd.Starting = func() error {
		keeper.look(pol)
		signals, err = catchSignals()
		return err
	}
	if err := cmd.Start(); err != nil {
		report.withheld(o.notFound(pol, err))
		return startStatus(err), startFailure(err)
	}
	go signals.forward(cmd, reopen, o.interrupted)
	if updates != nil {
		go control(p, updates, policy.NewLive(opts), cmd)
	}
	ended := cmd.Wait()
	keeper.flush()
	return o.finish(ended, pol, report, cmd)
}

// finish says what there is to say when the command has ended.
func (o *options) finish(ended error, pol *policy.Policy, report *reporter, cmd *launcher.Cmd) (int, error) {
	status, err := endStatus(ended)
	o.killedBy = endSignal(ended)
	if err == nil && status != 0 && !endedBySignal(status) {
		report.withheld(o.withheld(pol, os.Environ(), cmd.Refused()))
	}
	report.finish(ending{status, o.killedBy, err})
	return status, err
}

// sandboxed is the command as the policy and the flags have it.
func (o *options) sandboxed(p *printer, pol *policy.Policy, report *reporter, keeper *keeper) *launcher.Cmd {
	if pol.Dir == "/" {
		p.debugf("the working directory is /, which stays read-only unless --allow-write names it")
	}
	cmd := launcher.Command(pol, o.argv()[0], o.argv()[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Denied = func(d launcher.Denial) {
		report.denied(d, ofNoInterest(pol.Home, d) || ignored(pol.IgnoreViolations, o.argv(), d))
	}
	cmd.Words = launcher.Words{Denial: report.spell.denial, Grant: report.spell.flag}
	cmd.Trace = o.trace
	cmd.Upstream = upstream()
	cmd.Warn = func(line string) { p.line("%s", line) }
	cmd.Ask = o.asker(p, keeper.keep, cmd)
	cmd.Stopped = stopWithCommand
	if !o.quiet && o.report == "summary" && term.IsTerminal(2) {
		cmd.Serves = func(port uint16) { p.line("%s", servesLine(port)) }
	}
	return cmd
}

// argv is the command, or the shell that runs the line of -c.
func (o *options) argv() []string {
	if o.line == "" {
		return o.command
	}
	shell := "bash"
	if _, err := exec.LookPath(shell); err != nil {
		shell = "sh"
	}
	return []string{shell, "-c", o.line}
}

// asker picks who answers questions; nil is nobody.
func (o *options) asker(p *printer, keep func(launcher.Question), cmd *launcher.Cmd) askFunc {
	switch {
	case o.ask == "never":
		return nil
	case o.ask == "tty":
		return (&terminalAsker{p, keep, cmd, o.interrupted}).Ask
	case o.ask == "auto":
		if !term.IsTerminal(0) || !term.IsTerminal(2) {
			return nil
		}
		return (&terminalAsker{p, keep, cmd, o.interrupted}).Ask
	}
	return (&programAsker{o.askProgram, p, keep}).Ask
}
