package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"srun/policy"
)

// flagGroup is a part of the help. Of its flags the first so many are those that
// --help has.
type flagGroup struct {
	title string
	first int
	flags []string
}

// flagGroups has every flag that is offered, in the order of the help.
var flagGroups = []flagGroup{
	{"Network", 5, []string{
		"allow-domain", "deny-domain", "publish", "forward", "ssh-agent",
		"gpg-agent",
		"network", "allow-local-binding", "allow-unix-socket", "http-proxy-port", "socks-proxy-port",
	}},
	{"Files", 4, []string{
		"allow-write", "deny-write", "allow-read", "deny-read",
		"open-protected", "write-root", "tmp", "caches", "allow-device",
	}},
	{"The command", 3, []string{
		"c", "env", "timeout",
		"unset-env",
	}},
	{"Policy", 2, []string{
		"settings", "trust",
		"no-project-settings", "allow-weaker", "control-fd",
	}},
	{"Questions and reports", 4, []string{
		"ask", "explain", "trace", "quiet",
		"report", "report-file", "audit-log", "debug",
	}},
	{"srun itself", 2, []string{
		"doctor", "help-all",
		"clear-caches", "help", "version", "completion",
	}},
}

// help is the text of --help, a screen, or of --help-all.
func help(f *pflag.FlagSet, all bool) string {
	var b strings.Builder
	b.WriteString(usageText)
	for _, g := range flagGroups {
		names := g.flags
		if !all {
			names = names[:g.first]
		}
		fmt.Fprintf(&b, "\n%s\n", g.title)
		for _, name := range names {
			writeFlag(&b, f.Lookup(name))
		}
	}
	if all {
		return b.String() + usageAllEnd
	}
	return b.String() + usageEnd
}

// Columns of the help: where a flag's text begins, and where it ends.
const (
	helpText  = 26
	helpWidth = 80
)

// writeFlag writes a flag with its value and what it means.
func writeFlag(b *strings.Builder, flag *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(flag)
	spelled := "      --" + flag.Name
	switch {
	case flag.Name == "c":
		spelled = "  -c"
	case flag.Shorthand != "":
		spelled = "  -" + flag.Shorthand + ", --" + flag.Name
	}
	switch {
	case flag.NoOptDefVal != "" && value != "":
		spelled += "[=" + value + "]"
	case value != "" && flag.Value.Type() != "bool":
		spelled += " " + value
	}
	if flag.DefValue != "" && flag.Value.Type() == "string" {
		usage += " (" + flag.DefValue + ")"
	}
	if len(spelled) > helpText-2 {
		fmt.Fprintln(b, spelled)
		spelled = ""
	}
	fmt.Fprintf(b, "%-*s", helpText, spelled)
	at := helpText
	for i, word := range strings.Fields(usage) {
		if i > 0 && at+1+len(word) > helpWidth {
			fmt.Fprintf(b, "\n%*s", helpText, "")
			at = helpText
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteByte('\n')
}

// offered are the flags that the help has: no other is completed or suggested.
func offered(f *pflag.FlagSet) (flags []*pflag.Flag) {
	for _, g := range flagGroups {
		for _, name := range g.flags {
			flags = append(flags, f.Lookup(name))
		}
	}
	return flags
}

// choices are the values that a flag takes, "" as the last where others are taken
// as well.
var choices = map[string][]string{
	"network":      {"filtered", "none", "host"},
	"ask":          {"auto", "tty", "never", "command:", ""},
	"report":       {"summary", "json", "none"},
	"write-root":   {"project", "cwd"},
	"tmp":          {"private", "host", ""},
	"caches":       {"private", "shared", "off"},
	"clear-caches": {"all"},
	"explain":      {"text", "all", "json"},
	"completion":   {"bash", "zsh", "fish"},
	"allow-weaker": policy.WeakerNames(),
}

// takesFile are the flags whose value is a path.
var takesFile = []string{
	"allow-write", "deny-write", "allow-read", "deny-read", "open-protected",
	"allow-unix-socket", "settings", "report-file", "audit-log",
}
