package gitfiles

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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
		case e.isBranchRemote():
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

// judgeBeside judges an entry beside the remotes that were there.
func (e Entry) judgeBeside(was []Entry) string {
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
	case e.isBranchRemote() && had("remote") &&
		!slices.ContainsFunc(was, func(w Entry) bool {
			return w.Section == e.Section && w.Subsection == e.Subsection && w.Key == "remote" && w.Value == e.Value
		}):
		return e.name() + " sends a branch that was there elsewhere"
	}
	return ""
}

// Remotes are the entries of a configuration that say where git gets things from
// and sends them to.
func Remotes(data []byte) (remotes []Entry) {
	for _, e := range Parse(data) {
		if e.Section == "remote" || e.isBranchRemote() {
			remotes = append(remotes, e)
		}
	}
	return remotes
}

// JudgeAgain returns why a configuration may not be in a place where there was one
// with such remotes: they are not changed by removing it.
func JudgeAgain(gone []Entry, data []byte) (why string) {
	for _, e := range without(Remotes(data), gone) {
		if why := e.judgeBeside(gone); why != "" {
			return why
		}
	}
	return ""
}

// ObjectSize is the size of an object's name in a repository, in bytes, by its
// configuration.
func ObjectSize(config []byte) int {
	size := 20
	for _, e := range Parse(config) {
		if e.Section == "extensions" && e.Key == "objectformat" {
			if size = 20; strings.EqualFold(e.Value, "sha256") {
				size = 32
			}
		}
	}
	return size
}
