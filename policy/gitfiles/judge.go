package gitfiles

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// JudgeOptions say what a configuration may name.
type JudgeOptions struct {
	// AllowedHost tells whether the policy allows a host at a port; nil allows none.
	AllowedHost func(host string, port int) bool
	// Worktree tells whether core.worktree may have a value; nil is never.
	Worktree func(value string) bool
}

// The lines that git itself writes, and that nobody can read in two ways.
var (
	sectionLine = regexp.MustCompile(`^[ \t]*\[([A-Za-z0-9-]+)(?: "((?:[^"\\\x00]|\\["\\])*)")?\][ \t]*$`)
	entryLine   = regexp.MustCompile(`^[ \t]*([A-Za-z][A-Za-z0-9-]*)(?:[ \t]*=[ \t]*((?:[^"\\#;\r\x00]|\\[ntb"\\])*|"(?:[^"\\\r\x00]|\\[ntb"\\])*"))?[ \t]*$`)
	otherLine   = regexp.MustCompile(`^[ \t]*(?:[#;][^\r\x00]*)?$`)
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
		case otherLine.Match(line):
		case sectionLine.Match(line):
			m := sectionLine.FindSubmatch(line)
			section, subsection = strings.ToLower(string(m[1])), unquote(string(m[2]))
		case section != "" && entryLine.Match(line):
			m := entryLine.FindSubmatch(line)
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
	case e.isURL() && strings.HasPrefix(e.Value, "-"):
		return e.name() + " reads as an option"
	}
	return ""
}

func (e Entry) isURL() bool {
	return (e.Section == "remote" || e.Section == "submodule") && (e.Key == "url" || e.Key == "pushurl")
}

// judgeRemotes judges where entries send git to, beside all of the configuration.
// What a partial clone lacks git gets unasked, from a remote by its name; a name
// that has no URL is one.
func judgeRemotes(entries, all []Entry, o JudgeOptions) string {
	named := map[string]bool{".": true}
	for _, e := range all {
		if e.Section == "remote" && e.Key == "url" {
			named[e.Subsection] = true
		}
	}
	promises := false
	for _, e := range entries {
		name, is := "", true
		switch {
		case e.Section == "branch" && (e.Key == "remote" || e.Key == "pushremote"):
			name = e.Value
		case e.Section == "extensions" && e.Key == "partialclone":
			name, promises = e.Value, true
		case e.Section == "remote" && (e.Key == "promisor" || e.Key == "partialclonefilter"):
			name, promises = e.Subsection, true
		default:
			is = false
		}
		if is && !named[name] {
			return e.name() + " names no remote of this configuration"
		}
	}
	for _, e := range all {
		if promises && e.Section == "remote" && e.isURL() && !o.allowedURL(e.Value) {
			return e.name() + " gets what a partial clone lacks from a host that is not allowed"
		}
	}
	return ""
}

var defaultPorts = map[string]int{"https": 443, "http": 80, "ssh": 22, "git": 9418}

// allowedURL tells whether a repository's address is on an allowed host, or a
// path.
func (o JudgeOptions) allowedURL(text string) bool {
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") {
		return true
	}
	if host, _, ok := strings.Cut(text, ":"); ok && !strings.Contains(text, "://") { // scp's form
		return o.allowed(host[strings.LastIndexByte(host, '@')+1:], defaultPorts["ssh"])
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "file" && defaultPorts[u.Scheme] == 0 {
		return false
	}
	port := defaultPorts[u.Scheme]
	if u.Port() != "" {
		port, _ = strconv.Atoi(u.Port())
	}
	return u.Scheme == "file" || o.allowed(u.Hostname(), port)
}

func (o JudgeOptions) allowed(host string, port int) bool {
	return o.AllowedHost != nil && o.AllowedHost(host, port)
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

// mayGo tells whether an entry may be removed or changed.
func (e Entry) mayGo(is []Entry) bool {
	switch {
	case e.Section == "branch":
		// With the branch; its remote is where the user's push goes.
		return e.Key != "remote" && e.Key != "pushremote" || !slices.ContainsFunc(is, func(i Entry) bool {
			return i.Section == e.Section && i.Subsection == e.Subsection && i.Key == e.Key
		})
	case e.Section == "core", e.Section == "extensions", e.Section == "remote", e.Key == "gpgsign":
		return false
	}
	return e.Harmless()
}

// judgeAdded judges an entry beside what was there.
func (e Entry) judgeAdded(was []Entry, o JudgeOptions) string {
	had := func(key string) bool {
		return slices.ContainsFunc(was, func(w Entry) bool {
			return w.Section == e.Section && w.Subsection == e.Subsection && (key == "" || w.Key == key)
		})
	}
	switch {
	case e.Section == "remote" && e.Key == "fetch" && had("url") && e.Value == "+refs/heads/*:refs/remotes/"+e.Subsection+"/*":
		return "" // what git remote add writes after the URL
	case e.Section == "remote" && had(""):
		return e.name() + " changes a remote that was there"
	case e.isURL() && !o.allowedURL(e.Value):
		return e.name() + " is on a host that is not allowed"
	case e.Section == "branch" && (e.Key == "remote" || e.Key == "pushremote") && had("remote") &&
		!slices.ContainsFunc(was, func(w Entry) bool {
			return w.Section == e.Section && w.Subsection == e.Subsection && w.Key == "remote" && w.Value == e.Value
		}):
		return e.name() + " sends a branch that was there elsewhere"
	}
	return ""
}
