package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"srun/launcher"
	"srun/policy"
)

// spelling writes what packages return as grants: as flags, to be pasted into a
// shell.
type spelling struct{ home string }

var grantFlags = map[policy.GrantKind]string{
	policy.GrantDomain:     "--allow-domain",
	policy.GrantRead:       "--allow-read",
	policy.GrantWrite:      "--allow-write",
	policy.GrantProtected:  "--open-protected",
	policy.GrantUnixSocket: "--allow-unix-socket",
	policy.GrantForward:    "--forward",
	policy.GrantPublish:    "--publish",
	policy.GrantNetwork:    "--network",
	policy.GrantSSHAgent:   "--ssh-agent",
	policy.GrantGPGAgent:   "--gpg-agent",
}

// denial is the line of a denial, with what would have allowed it.
func (s spelling) denial(d launcher.Denial) string {
	if len(d.Allow) == 0 {
		return d.Line()
	}
	if kind := d.Allow[0].Kind; kind == policy.GrantSSHAgent || kind == policy.GrantGPGAgent {
		return d.Line() + "; use the agent: " + s.flags(d.Allow)
	}
	return d.Line() + "; to allow: " + s.flags(d.Allow)
}

func (s spelling) flags(grants []policy.Grant) string {
	flags := make([]string, 0, len(grants))
	for _, g := range grants {
		flags = append(flags, s.flag(g))
	}
	return strings.Join(flags, " ")
}

func (s spelling) flag(g policy.Grant) string {
	if g.Value == "" {
		return grantFlags[g.Kind]
	}
	return grantFlags[g.Kind] + " " + s.value(g)
}

// value is the flag's, with a path as the user would type it.
func (s spelling) value(g policy.Grant) string {
	if s.home != "" && s.home != "/" {
		if rest, ok := strings.CutPrefix(g.Value, s.home+"/"); ok {
			return "~/" + shellWord(rest)
		}
	}
	return shellWord(g.Value)
}

// shellWord is a text as a shell reads it as one word. What does not print is in
// the $'...' of POSIX 2024 and bash.
func shellWord(s string) string {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		body := strconv.Quote(s)
		return "$'" + strings.ReplaceAll(body[1:len(body)-1], "'", `\'`) + "'"
	case s == "" || strings.ContainsFunc(s, shellSpecial):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// shellSpecial reports what some shell takes for more than itself inside a word.
func shellSpecial(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-./:@%+,=~", r)
}
