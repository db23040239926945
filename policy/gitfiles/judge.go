package gitfiles

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// JudgeOptions say what a configuration may name.
type JudgeOptions struct {
	// AllowedHost tells whether the policy allows a host at a port; nil allows none.
	AllowedHost func(host string, port int) bool
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
		if why := e.judge(); why != "" {
			return why
		}
	}
	return judgePromisors(entries, o)
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

func (e Entry) judge() string {
	switch {
	case !e.Harmless():
		return e.name() + " may run a program or read other settings"
	case e.Section == "core" && e.Key == "worktree" && strings.HasPrefix(e.Value, "/"):
		return e.name() + " leads anywhere"
	case (e.Key == "url" || e.Key == "pushurl") && strings.HasPrefix(e.Value, "-"):
		return e.name() + " reads as an option"
	}
	return ""
}

// judgePromisors judges where git gets what a partial clone lacks, as it does
// unasked.
func judgePromisors(entries []Entry, o JudgeOptions) string {
	promises := false
	for _, e := range entries {
		promises = promises || e.Key == "promisor" || e.Key == "partialclone" || e.Key == "partialclonefilter"
	}
	for _, e := range entries {
		if promises && e.Section == "remote" && e.Key == "url" && !o.allowedURL(e.Value) {
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
// harmless. Lines may be added that are harmless by themselves, and none changed.
func JudgeChange(before, after []byte, o JudgeOptions) (why string) {
	if bytes.Equal(before, after) {
		return ""
	}
	if why := Judge(after, o); why != "" {
		return why
	}
	kept, _ := plainEntries(after)
	had := map[Entry]int{}
	for _, e := range kept {
		had[e]++
	}
	for _, e := range Parse(before) {
		if had[e]--; had[e] < 0 {
			return e.name() + " was there and is changed"
		}
	}
	return ""
}
