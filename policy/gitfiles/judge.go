package gitfiles

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// JudgeOptions say what a configuration may name.
type JudgeOptions struct {
	// AllowedHost tells whether the policy allows a host at a port; nil allows none.
	AllowedHost func(host string, port int) bool
	// Worktree tells whether core.worktree may have a value; nil is never.
	Worktree func(value string) bool
	// OneWorktree is for config.worktree, which counts besides another file: where
	// git sends and gets things from is not said there.
	OneWorktree bool
}

// The lines that git itself writes, and that nobody can read in two ways.
var (
	sectionLine = expression(`^[ \t]*\[([A-Za-z0-9-]+)(?: "((?:[^"\\\x00]|\\["\\])*)")?\][ \t]*$`)
	entryLine   = expression(`^[ \t]*([A-Za-z][A-Za-z0-9-]*)(?:[ \t]*=[ \t]*((?:[^"\\#;\r\x00]|\\[ntb"\\])*|"(?:[^"\\\r\x00]|\\[ntb"\\])*"))?[ \t]*$`)
	otherLine   = expression(`^[ \t]*(?:[#;][^\r\x00]*)?$`)
)

// Judge returns why a git configuration is not harmless, "" when it is: it makes
// git run nothing, read no other settings, and send nothing unasked to a host
// that is not allowed. What could be read in two ways is not harmless.
func Judge(data []byte, o JudgeOptions) (why string) {
	entries, bad := plainEntries(data)
	if bad > 0 {
		return fmt.Sprintf("line %d cannot be read plainly", bad)
	}
	for _, e := range entries {
		if why := e.judge(o); why != "" {
			return why
		}
	}
	return judgeRemotes(entries, entries, o)
}

// plainEntries reads a configuration of plain lines; bad is the first line that
// is none.
func plainEntries(data []byte) (entries []Entry, bad int) {
	section, subsection := "", ""
	for i, line := range bytes.Split(data, []byte("\n")) {
		switch {
		case otherLine().Match(line):
		case sectionLine().Match(line):
			m := sectionLine().FindSubmatch(line)
			section, subsection = strings.ToLower(string(m[1])), unquote(string(m[2]))
		case section != "" && entryLine().Match(line):
			m := entryLine().FindSubmatch(line)
			value := strings.TrimSpace(string(m[2]))
			value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
			entries = append(entries, Entry{section, subsection, strings.ToLower(string(m[1])), unquote(value)})
		default:
			return nil, i + 1
		}
	}
	return entries, 0
}

func unquote(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(unescape(s[i]))
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// name is the key as git-config(1) writes it.
func (e Entry) name() string {
	if e.Subsection == "" {
		return e.Section + "." + e.Key
	}
	return e.Section + "." + e.Subsection + "." + e.Key
}

func (e Entry) judge(o JudgeOptions) string {
	switch {
	case !e.Harmless():
		return e.name() + " may run a program or read other settings"
	case e.Section == "core" && e.Key == "worktree" && (o.Worktree == nil || !o.Worktree(e.Value)):
		return e.name() + " leads anywhere"
	case e.isOption():
		return e.name() + " reads as an option"
	case e.recurses():
		return e.name() + " has git go on to the remotes of submodules"
	case o.OneWorktree && (e.Section == "remote" || e.Section == "submodule" || e.isBranchRemote()):
		return e.name() + " says where git sends to, beside the repository's own configuration"
	}
	return ""
}

func (e Entry) isBranchRemote() bool {
	return e.Section == "branch" && (e.Key == "remote" || e.Key == "pushremote")
}

func (e Entry) isURL() bool {
	return (e.Section == "remote" || e.Section == "submodule") && (e.Key == "url" || e.Key == "pushurl")
}

// JudgeChange returns why a change of a configuration that was there is not
// harmless. What it names already stays as it is, but for preferences; what comes
// to it is harmless by itself, and sends nothing to a host that is not allowed.
func JudgeChange(before, after []byte, o JudgeOptions) (why string) {
	if bytes.Equal(before, after) {
		return ""
	}
	is, bad := plainEntries(after)
	if bad > 0 {
		return fmt.Sprintf("line %d cannot be read plainly", bad)
	}
	was := Parse(before)
	for _, e := range without(was, is) {
		if !e.mayGo(is) {
			return e.name() + " was there and is changed"
		}
	}
	added := without(is, was)
	for _, e := range added {
		if why := e.judge(o); why != "" {
			return why
		}
		if why := e.judgeAdded(was, o); why != "" {
			return why
		}
	}
	return judgeRemotes(added, is, o)
}

// without are the entries that others lack, each as often as it does.
func without(entries, others []Entry) (rest []Entry) {
	had := map[Entry]int{}
	for _, e := range others {
		had[e]++
	}
	for _, e := range entries {
		if had[e]--; had[e] < 0 {
			rest = append(rest, e)
		}
	}
	return rest
}

// indexKeys of core say how much git checks out and how it writes its index.
var indexKeys = []string{"sparsecheckout", "sparsecheckoutcone", "splitindex", "untrackedcache", "preloadindex"}

// mayGo tells whether an entry may be removed or changed.
func (e Entry) mayGo(is []Entry) bool {
	switch {
	case e.Section == "branch":
		// With the branch; its remote is where the user's push goes.
		return e.Key != "remote" && e.Key != "pushremote" || !slices.ContainsFunc(is, func(i Entry) bool {
			return i.Section == e.Section && i.Subsection == e.Subsection && i.Key == e.Key
		})
	case e.Section == "core" && slices.Contains(indexKeys, e.Key):
		return true
	case e.Section == "core", e.Section == "extensions", e.Section == "remote", e.Key == "gpgsign", recurseKeys[e.Section+"."+e.Key]:
		return false
	}
	return e.Harmless()
}

// judgeAdded judges an entry beside what was there.
func (e Entry) judgeAdded(was []Entry, o JudgeOptions) string {
	if why := e.judgeBeside(was); why != "" {
		return why
	}
	if e.isURL() && !o.allowedURL(e.Value) {
		return e.name() + " is on a host that is not allowed"
	}
	return ""
}
