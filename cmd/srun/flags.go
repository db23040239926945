package main

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/spf13/pflag"

	"srun/policy"
)

// options is a parsed command line.
type options struct {
	policy    policy.Flags
	settings  []string
	noProject bool

	line                 string // -c
	ask                  string
	askProgram           string // of command:PROGRAM, absolute
	report               string
	reportFile, auditLog string
	explain              string // "", "text", "json" or "seatbelt"
	doctor, trust        bool
	trace                bool
	learn                string
	controlFD            int
	reporter             *reporter // once it is open
	debug, quiet         bool
	version              bool
	help, helpAll        bool
	completion           string
	sshAgent, gpgAgent   bool
	stands               []policy.StandIn
	clearCaches          string // "", "project" or "all"

	command []string

	interrupted chan struct{}  // by ^C
	killedBy    syscall.Signal // the command's end, 0 for none
}

// newFlagSet ties the command line of CONTRACT section 1 to options.
func newFlagSet(o *options) *pflag.FlagSet {
	f := pflag.NewFlagSet("srun", pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.SortFlags = false
	f.Usage = func() {}
	settingFlags(f)
	f.StringArrayVarP(&o.settings, "settings", "s", nil, "one more settings `FILE`")
	f.BoolVar(&o.noProject, "no-project-settings", false, "ignore the project's two settings files")
	f.StringVarP(&o.line, "c", "c", "", "run `LINE` with bash -c, or sh -c")
	f.StringVar(&o.ask, "ask", "auto", "who answers for unlisted hosts: `MODE` is auto, tty, never or command:PROGRAM")
	f.StringVar(&o.report, "report", "summary", "summary, json or none, as the `KIND` of report")
	f.StringVar(&o.reportFile, "report-file", "", "write the report to `FILE` instead of standard error")
	f.StringVar(&o.auditLog, "audit-log", "", "append one JSON line per network decision to `FILE`")
	f.StringVar(&o.explain, "explain", "", "print the resolved policy and run nothing; `FORMAT` is text, all or json")
	f.Lookup("explain").NoOptDefVal = "text"
	f.BoolVar(&o.sshAgent, "ssh-agent", false, "the SSH agent may be used, and its client reads what it must: no private key")
	f.BoolVar(&o.gpgAgent, "gpg-agent", false, "the same of the GnuPG agent")
	f.BoolVar(&o.doctor, "doctor", false, "say what this host can enforce, and how to fix what it cannot")
	f.BoolVar(&o.trace, "trace", false, "observe file operations, to report file denials exactly")
	f.StringVar(&o.learn, "learn", "", "run, observe, and write the settings that the run needed to `FILE`")
	f.BoolVar(&o.trust, "trust", false, "trust this project's settings files as they are now")
	f.IntVar(&o.controlFD, "control-fd", -1, "read live updates from descriptor `N`")
	f.Lookup("control-fd").DefValue = "0" // not in the help
	f.BoolVarP(&o.debug, "debug", "d", false, "say what is done")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no line per denial as it happens")
	f.StringVar(&o.clearCaches, "clear-caches", "", "remove this project's private caches; `WHOSE` is all for those of every project")
	f.Lookup("clear-caches").NoOptDefVal = "project"
	f.BoolVar(&o.version, "version", false, "print the version")
	f.BoolVarP(&o.help, "help", "h", false, "print the flags that are used most")
	f.BoolVar(&o.helpAll, "help-all", false, "print every flag")
	f.StringVar(&o.completion, "completion", "", "print completions for `SHELL`: bash, zsh or fish")
	return f
}

// settingFlags are the flags of settings, which package policy has in its table.
func settingFlags(f *pflag.FlagSet) {
	for _, s := range policy.Settings() {
		switch {
		case s.Flag == "":
		case s.Switch:
			f.Bool(s.Flag, false, s.Usage)
		case s.Repeat:
			f.StringArray(s.Flag, nil, s.Usage)
		default:
			f.String(s.Flag, "", s.Usage)
		}
	}
}

// takeSettings keeps the values of these flags for package policy.
func (o *options) takeSettings(f *pflag.FlagSet) error {
	o.policy = policy.Flags{}
	for _, s := range policy.Settings() {
		if s.Flag == "" || !f.Changed(s.Flag) {
			continue
		}
		flag := f.Lookup(s.Flag)
		if flag.Value.String() == "" {
			return emptyValue(s.Flag)
		}
		o.policy[s.Flag] = flagValues(flag)
	}
	return nil
}

func flagValues(flag *pflag.Flag) []string {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{flag.Value.String()}
}

// parse reads the command line; args are without the program's name.
func parse(args []string) (*options, *pflag.FlagSet, error) {
	o := &options{}
	f := newFlagSet(o)
	if err := f.Parse(args); err != nil {
		return o, f, usageError(err, f)
	}
	if err := swallowed(f); err != nil {
		return o, f, err
	}
	o.command = f.Args()
	return o, f, o.check(f)
}

// reportAnyway takes --report json from arguments that could not be read to
// their end.
func (o *options) reportAnyway(args []string) {
	for i, arg := range args {
		switch {
		case arg == "--":
			return
		case arg == "--report=json", arg == "--report" && slices.Equal(args[i+1:min(i+2, len(args))], []string{"json"}):
			o.report = "json"
		}
	}
}

// swallowed finds a flag without a value that took the "--" before the command
// for one.
func swallowed(f *pflag.FlagSet) (err error) {
	f.Visit(func(flag *pflag.Flag) {
		if err == nil && flag.Name != "c" && slices.Contains(flagValues(flag), "--") {
			err = &hinted{fmt.Errorf("--%s: the value is missing before \"--\"", flag.Name), "see srun --help"}
		}
	})
	return err
}

// emptyFlags are flags for which an empty value is a mistake, and not the same
// as leaving the flag out. So are the flags of settings with one value.
var emptyFlags = []string{"settings", "report-file", "audit-log", "learn", "completion"}

func emptyValue(flag string) error { return fmt.Errorf("--%s: the value is empty", flag) }

func (o *options) check(f *pflag.FlagSet) error {
	for _, name := range emptyFlags {
		if flag := f.Lookup(name); flag.Changed && (flag.Value.String() == "" || flag.Value.String() == "[]") {
			return emptyValue(name)
		}
	}
	if err := o.takeSettings(f); err != nil {
		return err
	}
	if err := o.takeAgents(); err != nil {
		return err
	}
	switch {
	case f.Changed("control-fd") && o.controlFD < 0:
		return fmt.Errorf("--control-fd: %d: not a descriptor", o.controlFD)
	case f.Changed("c") && len(o.command) > 0:
		return errors.New("-c takes the whole shell line as one word; give no command after it")
	case o.report != "summary" && o.report != "json" && o.report != "none":
		return fmt.Errorf("--report: %q: not one of summary, json, none", o.report)
	case o.clearCaches != "" && o.clearCaches != "project" && o.clearCaches != "all":
		return fmt.Errorf("--clear-caches: %q: not one of project, all", o.clearCaches)
	case o.explain != "" && o.explain != "text" && o.explain != "all" && o.explain != "json" && o.explain != "seatbelt":
		return fmt.Errorf("--explain: %q: not one of text, all, json", o.explain)
	}
	return o.checkAsk()
}
