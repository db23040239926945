package gitfiles

import (
	"slices"
	"strconv"
	"strings"
)

// harmlessKeys are what a new repository's configuration consists of when git
// itself writes it, and what people add to it, as far as none of it names a
// program or another file of settings. A "*" stands for any key.
var harmlessKeys = map[string][]string{
	"core": {
		"repositoryformatversion", "filemode", "bare", "logallrefupdates", "ignorecase", "precomposeunicode",
		"symlinks", "worktree", "autocrlf", "eol", "safecrlf", "quotepath", "sparsecheckout", "sparsecheckoutcone",
		"abbrev", "compression", "sharedrepository", "untrackedcache", "preloadindex", "splitindex",
	},
	"extensions": {"objectformat", "refstorage", "partialclone", "compatobjectformat", "worktreeconfig"},
	"remote":     {"url", "pushurl", "fetch", "push", "promisor", "partialclonefilter", "tagopt", "prune", "mirror"},
	"branch":     {"remote", "merge", "rebase", "pushremote", "description", "autosetupmerge", "autosetuprebase"},
	"submodule":  {"url", "active", "branch", "ignore", "shallow", "fetchrecursesubmodules", "recurse", "path"},
	"user":       {"name", "email", "signingkey", "useconfigonly"},
	"commit":     {"gpgsign", "verbose"},
	"tag":        {"gpgsign", "sort"},
	"pull":       {"rebase", "ff"},
	"push":       {"default", "autosetupremote", "followtags", "recursesubmodules"},
	"fetch":      {"prune", "prunetags", "parallel", "recursesubmodules"},
	"merge":      {"ff", "conflictstyle", "renames", "log"},
	"rebase":     {"autosquash", "autostash", "updaterefs"},
	"rerere":     {"enabled", "autoupdate"},
	"diff":       {"algorithm", "renames", "colormoved", "context", "submodule", "ignoresubmodules"},
	"status":     {"*"},
	"color":      {"*"},
	"advice":     {"*"},
	"gc":         {"auto", "autodetach", "pruneexpire", "reflogexpire", "reflogexpireunreachable"},
	"index":      {"version", "threads", "skiphash", "sparse"},
	"feature":    {"*"},
	"lfs":        {"repositoryformatversion"},
}

// helper is the start of a URL that a program is for: ext:: runs any command
// (gitremote-helpers(7)).
var helper = expression(`^[A-Za-z0-9+.-]+::`)

// Harmless reports whether an entry makes git run nothing and read no other
// settings.
func (e Entry) Harmless() bool {
	keys := harmlessKeys[e.Section]
	if helper().MatchString(e.Value) {
		return false
	}
	return slices.Contains(keys, e.Key) || slices.Contains(keys, "*")
}

// proseKeys have values that git hands to no program.
var proseKeys = map[string]bool{"branch.description": true, "user.name": true, "user.email": true}

// isOption tells what git would hand to a program as an option: git fetch gets the
// name of a promisor remote so, gpg that of a key.
func (e Entry) isOption() bool {
	if strings.HasPrefix(e.Subsection, "-") {
		return true
	}
	if !strings.HasPrefix(e.Value, "-") || proseKeys[e.Section+"."+e.Key] {
		return false
	}
	if e.Section == "remote" && e.Key == "tagopt" {
		return e.Value != "--tags" && e.Value != "--no-tags"
	}
	_, err := strconv.Atoi(e.Value) // core.compression = -1
	return err != nil
}

// recurseKeys decide whether git goes on to submodules, and to their remotes, which
// may be anywhere.
var recurseKeys = map[string]bool{
	"submodule.recurse": true, "submodule.fetchrecursesubmodules": true, "fetch.recursesubmodules": true, "push.recursesubmodules": true,
}

// recurses tells of such a key whether it has git do so where it would not by
// itself: on-demand is its default for fetching (git-fetch(1)).
func (e Entry) recurses() bool {
	if !recurseKeys[e.Section+"."+e.Key] {
		return false
	}
	switch strings.ToLower(e.Value) {
	case "false", "no", "off", "0":
		return false
	case "on-demand":
		return e.Section == "push" || e.Key == "recurse"
	case "check": // whether the submodules' commits are pushed, which it tells by their refs
		return e.Section != "push"
	}
	return true
}
